//! The page in a real Chromium: `tests/browser/page.mjs` uses it as people do. Screenshots are left in `target/screenshots`.
//!
//! It needs chromium, node, and the modules of `tests/browser/package.json` in `target/browser`; `cargo xtask test` sees
//! to them. Where they are not, it says so and is skipped, unless `KEYVOUCH_TEST_BROWSER=required`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod page_support;
mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use keyvouch_emulator::File;
use page_support::Site;

/// By `required`, the test may not be skipped.
const NEEDED: &str = "KEYVOUCH_TEST_BROWSER";

/// What Chromium is called.
const CHROMIUM: [&str; 2] = ["chromium", "chromium-browser"];

struct Browser {
    chromium: PathBuf,
    modules: PathBuf,
}

fn browser(target: &Path) -> Result<Browser, String> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let find = |name: &str| {
        std::env::split_paths(&paths).map(|folder| folder.join(name)).find(|path| path.is_file())
    };
    let chromium = CHROMIUM.into_iter().find_map(find).ok_or("there is no chromium")?;
    find("node").ok_or("there is no node")?;
    let modules = target.join("browser");
    if !modules.join("node_modules/playwright-core/package.json").is_file() {
        return Err(format!("{} has no modules: `cargo xtask browser` fetches them", modules.display()));
    }
    Ok(Browser { chromium, modules })
}

fn write(folder: &Path, name: &str, files: &[File]) {
    std::fs::create_dir_all(folder.join(name)).unwrap();
    for file in files {
        std::fs::write(folder.join(name).join(&file.name), &file.bytes).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_can_use_the_page() {
    // `target/tmp` is what tests are told of.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let Browser { chromium, modules } = match browser(target) {
        Ok(browser) => browser,
        Err(why) if std::env::var_os(NEEDED).is_some_and(|needed| needed == "required") => panic!("{why}"),
        Err(why) => {
            eprintln!("SKIPPED: the page in Chromium ({why})");
            return;
        }
    };
    let site = Site::open().await;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = site.node.router.clone();
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });

    let files = tempfile::tempdir().unwrap();
    let other = keyvouch_emulator::samples("yubihsm2").unwrap().remove(0).request.unwrap();
    write(files.path(), "evidence", &site.sample.evidence);
    write(files.path(), "request", site.sample.request.as_slice());
    write(files.path(), "other", &[File::new("other.csr", other.bytes)]);
    let screenshots = target.join("screenshots");
    std::fs::create_dir_all(&screenshots).unwrap();

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/page.mjs");
    let mut command = Command::new("node");
    command
        .arg(script)
        .arg(chromium)
        .arg(modules)
        .arg(&url)
        .arg(files.path())
        .arg(screenshots)
        .stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    serving.abort();
    let told = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("all passed"), "{told}\n{complaints}");
    println!("{told}");
}
