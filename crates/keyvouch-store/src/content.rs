//! One content of a record.

use aws_lc_rs::digest;

use crate::append::Store;
use crate::db::reading;
use crate::error::StoreError;
use crate::index::storable;

impl Store {
    /// A content of a record, by its SHA-256 in lower-case hexadecimal. Nothing when the record has none such.
    ///
    /// # Errors
    /// When the database does not answer, or has other bytes under that name.
    pub async fn content(&self, leaf: u64, sha256: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let at = i64::try_from(leaf).map_err(|_| StoreError::NoRecord(leaf.to_string()))?;
        let bytes: Option<Vec<u8>> = reading!(&self.db, pool => {
            sqlx::query_scalar(
                "SELECT b.bytes FROM record_blobs r JOIN blobs b ON b.id = r.blob
                 WHERE r.leaf = $1 AND b.sha256 = $2",
            )
            .bind(at)
            .bind(storable(sha256))
            .fetch_optional(pool)
            .await
        })?;
        match bytes {
            Some(bytes) if hex::encode(digest::digest(&digest::SHA256, &bytes)) != sha256 => {
                Err(StoreError::Damaged(format!("a file of record {leaf} is not what it was: {sha256}")))
            }
            bytes => Ok(bytes),
        }
    }
}
