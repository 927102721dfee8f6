//! `keyvouch token`: who may use the service.

use keyvouch_store::{Role, Token};
use serde_json::{Value, json};

use crate::cli::{self, Format, TokenCommand, TokenCreate, TokenList, TokenRevoke, TokenRole};
use crate::error::Error;
use crate::output::Output;
use crate::service::{self, now_ms, time};
use crate::text::table;

pub(crate) fn run(args: &cli::Token, out: &Output) -> Result<(), Error> {
    service::runtime()?.block_on(async {
        match &args.command {
            TokenCommand::Create(args) => create(args, out).await,
            TokenCommand::List(args) => list(args, out).await,
            TokenCommand::Revoke(args) => revoke(args, out).await,
        }
    })
}

async fn create(args: &TokenCreate, out: &Output) -> Result<(), Error> {
    let role = match args.role {
        TokenRole::Submit => Role::Submit,
        TokenRole::Read => Role::Read,
        TokenRole::Admin => Role::Admin,
    };
    // Before the first start too: a service that is reached from elsewhere needs a token.
    let store = service::open_or_make(&service::config_of(&args.place)?).await?;
    let now = now_ms()?;
    let expires = args.expires.map(|span| now.saturating_add(span.0.saturating_mul(1000)));
    let new = store.create_token(&args.name, role, now, expires).await?;
    store.close().await;
    match args.output {
        Format::Json => {
            let mut token = entry(&new.token, now);
            if let Some(token) = token.as_object_mut() {
                token.insert("secret".to_owned(), new.secret.into());
            }
            out.json(&token)
        }
        Format::Text => {
            out.note(&format!(
                "token {} for {} with the role {}{}. Its secret is shown this once:",
                new.token.id,
                new.token.name,
                role.as_str(),
                new.token.expires_at.map(|end| format!(", until {}", time(end))).unwrap_or_default(),
            ));
            out.print(&format!("{}\n", new.secret))
        }
    }
}

async fn list(args: &TokenList, out: &Output) -> Result<(), Error> {
    let store = service::open(&service::config_of(&args.place)?).await?;
    let tokens = store.tokens().await?;
    store.close().await;
    let now = now_ms()?;
    if args.output == Format::Json {
        let tokens: Value = tokens.iter().map(|t| entry(t, now)).collect();
        return out.json(&json!({"schema": "keyvouch.tokens/1", "tokens": tokens}));
    }
    if tokens.is_empty() {
        return out.print("There are no tokens; make one with `keyvouch token create NAME --role submit`.\n");
    }
    let mut rows = vec![["ID", "NAME", "ROLE", "CREATED", "STATE"].map(str::to_owned).to_vec()];
    rows.extend(tokens.iter().map(|t| {
        vec![
            t.id.clone(),
            t.name.clone(),
            t.role.as_str().to_owned(),
            time(t.created_at).to_string(),
            state(t, now),
        ]
    }));
    out.print(&table(&rows))
}

async fn revoke(args: &TokenRevoke, out: &Output) -> Result<(), Error> {
    let store = service::open(&service::config_of(&args.place)?).await?;
    let revoked = store.revoke_token(&args.id, now_ms()?).await?;
    store.close().await;
    if !revoked {
        return Err(Error::NoToken(args.id.clone()));
    }
    out.print(&format!("Token {} is revoked.\n", args.id))
}

/// Whether it is in force, in words.
fn state(token: &Token, now: i64) -> String {
    match (token.revoked_at, token.expires_at) {
        (Some(at), _) => format!("revoked {}", time(at)),
        (None, Some(end)) if end <= now => format!("ended {}", time(end)),
        (None, Some(end)) => format!("until {}", time(end)),
        (None, None) => "in force".to_owned(),
    }
}

fn entry(token: &Token, now: i64) -> Value {
    let text = |at: Option<i64>| at.map(|at| time(at).to_string());
    json!({
        "id": token.id,
        "name": token.name,
        "role": token.role,
        "created_at": time(token.created_at).to_string(),
        "expires_at": text(token.expires_at),
        "revoked_at": text(token.revoked_at),
        "in_force": token.revoked_at.is_none() && token.expires_at.is_none_or(|end| end > now),
    })
}
