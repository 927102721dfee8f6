//! The trust data of every version that wrote here.
//!
//! A record names the trust data that it was judged with by a digest. The data itself comes with keyvouch, and changes
//! with it; so each version leaves its own here, once.

use keyvouch::{File, Reference};
use keyvouch_record::TrustData;

use crate::append::Store;
use crate::db::{reading, writing};
use crate::error::StoreError;

impl Store {
    /// Keeps the trust data of this version, unless it is kept already.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn keep_trust_data(&self) -> Result<(), StoreError> {
        let digest = TrustData::BuiltIn.digest()?;
        if !self.trust_files(&digest).await?.is_empty() {
            return Ok(());
        }
        writing!(&self.db, pool, Sql, begin => {
            let mut tx = pool.begin_with(begin).await?;
            for (number, (name, text)) in (0_i64..).zip(Reference::builtin_data()) {
                // Another node of the same version may be at it, too.
                sqlx::query::<Sql>(
                    "INSERT INTO trust_files (digest, number, name, bytes) VALUES ($1, $2, $3, $4)
                     ON CONFLICT DO NOTHING",
                )
                .bind(&digest)
                .bind(number)
                .bind(name)
                .bind(text.as_bytes())
                .execute(&mut *tx)
                .await?;
            }
            tx.commit().await?;
            Ok(())
        })
    }

    /// The trust data of that digest: built in, or kept from the version that had it. What nobody kept is what is built
    /// in; a record that is judged by it says so, for the digest stands in its report.
    pub(crate) async fn trust_data(&self, digest: &str) -> Result<TrustData, StoreError> {
        if TrustData::BuiltIn.digest()? == digest {
            return Ok(TrustData::BuiltIn);
        }
        let files = self.trust_files(digest).await?;
        if files.is_empty() {
            return Ok(TrustData::BuiltIn);
        }
        let data = TrustData::Files(files);
        if data.digest()? != digest {
            return Err(StoreError::Damaged(format!("the trust data {digest} was altered")));
        }
        Ok(data)
    }

    async fn trust_files(&self, digest: &str) -> Result<Vec<File>, StoreError> {
        let rows: Vec<(String, Vec<u8>)> = reading!(&self.db, pool => {
            sqlx::query_as("SELECT name, bytes FROM trust_files WHERE digest = $1 ORDER BY number")
                .bind(digest)
                .fetch_all(pool)
                .await
        })?;
        Ok(rows.into_iter().map(|(name, bytes)| File::new(name, bytes)).collect())
    }
}
