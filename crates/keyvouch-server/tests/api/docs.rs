//! The commands of docs/api.md do what the page says.

use std::process::Command;

use keyvouch_record::{Answer, Bundle, recheck};
use serde_json::Value;

use crate::support::{Node, run, yubikey};

const PAGE: &str = include_str!("../../../../docs/api.md");

/// The indented lines of the page: all of its commands.
fn script(address: &str) -> String {
    let lines: Vec<&str> = PAGE.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    lines.join("\n").replace("127.0.0.1:8080", address)
}

#[test]
fn every_command_of_the_page_works() {
    if ["curl", "jq"].iter().any(|tool| Command::new(tool).arg("--version").output().is_err()) {
        eprintln!("\n*** NO CURL OR NO JQ: the commands of docs/api.md were not tried. ***\n");
        return;
    }
    run(async {
        let node = Node::new().await;
        let dir = node.folder.path().to_owned();
        std::fs::create_dir(dir.join("sample")).unwrap();
        let sample = yubikey();
        for file in sample.evidence.iter().chain(&sample.request) {
            std::fs::write(dir.join("sample").join(&file.name), &file.bytes).unwrap();
        }
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let script = script(&listener.local_addr().unwrap().to_string());
        assert!(script.matches("curl").count() >= 15);
        let router = node.router.clone();
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        let folder = dir.clone();
        let done = tokio::task::spawn_blocking(move || {
            Command::new("bash")
                .args(["-euxo", "pipefail", "-c", &script])
                .current_dir(folder)
                .output()
                .unwrap()
        });
        let output = done.await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        server.abort();

        let read = |name: &str| std::fs::read(dir.join(name)).unwrap();
        let answer: Value = serde_json::from_slice(&read("answer.json")).unwrap();
        assert_eq!(answer["verdict"], "accept");
        assert_eq!(recheck(&Bundle::read(&read("record.zip")).unwrap()).unwrap().answer, Answer::Identical);
        assert_eq!(read("result.jwt").iter().filter(|byte| **byte == b'.').count(), 2);
    });
}
