//! `keyvouch serve`: the verifier behind HTTP.

use keyvouch_server::{Config, Judging, Service, Setup, StartError};

use super::verify;
use crate::cli::Serve;
use crate::error::Error;
use crate::output::Output;
use crate::service::keys::{self, Keys};
use crate::service::{self, judging};
use crate::text::{Page, count};

pub(crate) fn run(args: &Serve, out: &Output) -> Result<(), Error> {
    let config = service::config(args.place.config.as_deref(), &args.settings())?;
    let at = verify::now()?;
    let judging = judging::read(&config, at, out)?;
    let keys = Keys::find(&config)?;
    if args.check {
        return check(&config, &judging, &keys, out);
    }
    service::runtime()?.block_on(serve(config, judging, &keys, out))
}

async fn serve(config: Config, judging: Judging, keys: &Keys, out: &Output) -> Result<(), Error> {
    keyvouch_server::logging::init(&config.log)?;
    let first = !keys.log.is_there;
    keys.make(&config).await?;
    let log_key = keys::log_key(&keys.log.path)?;
    if first {
        out.note(&format!(
            "made the keys {} and {}: keep a copy of them in a safe place, apart from the record. Whoever verifies the log needs its public key: {}",
            keys.log.path.display(),
            keys.result.path.display(),
            log_key.public(),
        ));
    }
    let result_key = keys::result_key(&keys.result.path)?;
    let former_results = keys::former_results(&config)?;
    service::make_place(&config)?;
    let (place, wants_tokens) = (config.clone(), config.wants_tokens());
    let opened = Service::open(Setup { config, judging, log_key, result_key, former_results }).await?;
    if wants_tokens && !in_force(&opened).await? {
        out.note("no token is in force, so nobody can come in: make one with `keyvouch token create NAME --role admin`");
    }
    let mut told = Ok(());
    let tell = |listen| told = out.print(&format!("keyvouch is at {}\n", page(&Config { listen, ..place })));
    keyvouch_server::serve(opened, tell).await?;
    told
}

/// Whether any token is in force.
async fn in_force(service: &Service) -> Result<bool, Error> {
    let now = service::now_ms()?;
    let tokens = service.store().tokens().await?;
    Ok(tokens.iter().any(|t| t.revoked_at.is_none() && t.expires_at.is_none_or(|end| end > now)))
}

/// Where people find the page.
fn page(config: &Config) -> String {
    match &config.public_url {
        Some(url) => url.clone(),
        None if config.tls.is_some() => format!("https://{}/", config.listen),
        None => format!("http://{}/", config.listen),
    }
}

/// Says what would be done.
fn check(config: &Config, judging: &Judging, keys: &Keys, out: &Output) -> Result<(), Error> {
    let ip = config.listen.ip();
    if !config.wants_tokens() && !ip.is_loopback() {
        return Err(StartError::Open(ip).into());
    }
    let unknown = |name: &&String| !judging.policies.iter().any(|p| p.name() == *name);
    if let Some(name) = config.policies.default.iter().find(unknown) {
        return Err(StartError::NoPolicy(name.clone()).into());
    }
    keyvouch_server::check(config)?;
    let verifier = judging::verifier(judging, verify::now()?)?;
    if keys.log.is_there {
        keys::log_key(&keys.log.path)?;
    }
    if keys.result.is_there {
        keys::result_key(&keys.result.path)?;
    }
    keys::former_results(config)?;
    let key = |place: &keys::Place| {
        let made = if place.is_there { "" } else { " (would be made)" };
        format!("{}{made}", place.path.display())
    };
    let record = match service::file(config)? {
        Some(file) if file.exists() => file.display().to_string(),
        Some(file) => format!("{} (would be made)", file.display()),
        // The address may hold a password.
        None => "PostgreSQL".to_owned(),
    };
    let own: Vec<&str> = judging.policies.iter().map(keyvouch_policy::Policy::name).collect();
    let mut text = Page::default();
    text.heading("The configuration is in order. The service would");
    text.field("listen on", &config.listen.to_string());
    text.field("be found at", &page(config));
    text.field("let in", if config.wants_tokens() { "who has a token" } else { "whoever reaches it" });
    text.field("speak", if config.tls.is_some() { "HTTPS" } else { "HTTP" });
    text.field("keep its record in", &record);
    text.field("sign the log with", &key(&keys.log));
    text.field("sign results with", &key(&keys.result));
    text.field("judge by", &config.policies.default.join(", "));
    text.field("know the policies", &own.join(", "));
    let anchors = verifier.reference().anchors.iter().count();
    text.field("trust", &count(anchors, "anchor", "anchors"));
    out.print(&text.into_text())
}
