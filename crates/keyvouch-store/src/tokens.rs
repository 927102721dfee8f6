//! Who may do what.

use aws_lc_rs::{digest, rand};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::append::Store;
use crate::db::{reading, writing};
use crate::error::StoreError;

/// What every token begins with, so that scanners for leaked secrets can find one.
const PREFIX: &str = "kv_";

/// What the bearer of a token may do. Each may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Hand in evidence, and read the answer to it.
    Submit,
    /// Read all records.
    Read,
    /// Everything.
    Admin,
}

impl Role {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Submit, Self::Read, Self::Admin].into_iter().find(|role| role.as_str() == name)
    }
}

/// A token as the store knows it: not the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Token {
    /// Its id.
    pub id: String,
    /// What people call it; the submitter of records.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// When it ends.
    pub expires_at: Option<i64>,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
}

/// A new token, with the secret that is told once.
pub struct NewToken {
    /// What the store keeps.
    pub token: Token,
    /// The secret.
    pub secret: String,
}

impl std::fmt::Debug for NewToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewToken").field("token", &self.token).finish_non_exhaustive()
    }
}

type Row = (String, String, String, i64, Option<i64>, Option<i64>);

fn token(row: Row) -> Result<Token, StoreError> {
    let (id, name, role, created_at, expires_at, revoked_at) = row;
    let role = Role::parse(&role).ok_or_else(|| StoreError::Damaged(format!("token {id} has no role")))?;
    Ok(Token { id, name, role, created_at, expires_at, revoked_at })
}

/// A secret of 256 random bits needs no slow hash.
fn sha256(secret: &str) -> String {
    hex::encode(digest::digest(&digest::SHA256, secret.as_bytes()))
}

impl Store {
    /// Makes a token. Times are milliseconds since 1970.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn create_token(
        &self,
        name: &str,
        role: Role,
        now: i64,
        expires_at: Option<i64>,
    ) -> Result<NewToken, StoreError> {
        let mut random = [0; 32];
        rand::fill(&mut random).map_err(|_| StoreError::Random)?;
        let secret = format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(random));
        let token = Token {
            id: Uuid::now_v7().to_string(),
            name: name.to_owned(),
            role,
            created_at: now,
            expires_at,
            revoked_at: None,
        };
        writing!(&self.db, pool => {
            sqlx::query(
                "INSERT INTO tokens (id, name, role, sha256, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)",
            )
            .bind(&token.id)
            .bind(&token.name)
            .bind(role.as_str())
            .bind(sha256(&secret))
            .bind(now)
            .bind(expires_at)
            .execute(pool)
            .await
            .map(drop)
        })?;
        Ok(NewToken { token, secret })
    }

    /// The token of that secret, if it is in force.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn authenticate(&self, secret: &str, now: i64) -> Result<Option<Token>, StoreError> {
        // Looked up by its hash: how long that takes tells nothing about the secret.
        let row: Option<Row> = reading!(&self.db, pool => {
            sqlx::query_as(
                "SELECT id, name, role, created_at, expires_at, revoked_at FROM tokens
                 WHERE sha256 = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)",
            )
            .bind(sha256(secret))
            .bind(now)
            .fetch_optional(pool)
            .await
        })?;
        row.map(token).transpose()
    }

    /// Every token, the oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        let rows: Vec<Row> = reading!(&self.db, pool => {
            sqlx::query_as(
                "SELECT id, name, role, created_at, expires_at, revoked_at FROM tokens ORDER BY created_at, id",
            )
            .fetch_all(pool)
            .await
        })?;
        rows.into_iter().map(token).collect()
    }

    /// Revokes the token of that id. Whether there was one in force.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn revoke_token(&self, id: &str, now: i64) -> Result<bool, StoreError> {
        let changed = writing!(&self.db, pool => {
            sqlx::query("UPDATE tokens SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL")
                .bind(id)
                .bind(now)
                .execute(pool)
                .await
                .map(|done| done.rows_affected())
        })?;
        Ok(changed > 0)
    }
}
