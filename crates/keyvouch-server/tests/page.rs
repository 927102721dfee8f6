//! The page for people, over the router.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests fail by panicking"
)]

mod page_support;
mod support;

use axum::body::Body;
use axum::http::{StatusCode, header};
use keyvouch_server::config::Access;
use keyvouch_store::Role;
use page_support::{Answer, Part, Site, browser, is_plain, parts};

#[tokio::test]
async fn every_page_is_plain() {
    let site = Site::open().await;
    let record = site.recorded().await;
    for address in [
        "/",
        &record,
        "/appraisals",
        "/appraisals?serial=none",
        "/devices",
        "/devices/yubikey-piv",
        "/devices/tpm",
        "/docs/records",
        "/docs/architecture",
        "/samples",
        "/about",
        "/login",
    ] {
        let answer = site.get(address).await;
        assert_eq!(answer.status, StatusCode::OK, "{address}");
        is_plain(&answer);
    }
}

#[tokio::test]
async fn evidence_gets_an_answer_that_is_recorded() {
    let site = Site::open().await;
    let address = site.recorded().await;
    let answer = site.get(&address).await;
    let id = address.strip_prefix("/appraisals/").unwrap();
    let bundle = site.node.service.store().bundle(id).await.unwrap();
    let report: serde_json::Value = serde_json::from_slice(&bundle.report).unwrap();
    assert_eq!(report["verdict"], "accept");
    answer.shows(&[
        "<h1>Accepted</h1>",
        "EC-P384 key in Yubico YubiKey 5",
        "Cannot leave the device",
        id,
        "leaf 0 of keyvouch.example/log",
    ]);
    // Every check, requirement and limit of what was recorded.
    let appraisal = &report["appraisals"][0];
    for check in appraisal["checks"].as_array().unwrap() {
        answer.shows(&[&format!("<code>{}</code>", check["id"].as_str().unwrap())]);
    }
    for requirement in appraisal["decisions"][0]["requirements"].as_array().unwrap() {
        answer.shows(&[&format!("<code>{}</code>", requirement["id"].as_str().unwrap())]);
    }
    assert!(!appraisal["limits"].as_array().unwrap().is_empty());
    answer.shows(&[
        "Not proved by such evidence",
        "keyvouch emulated Attestation Root 1",
        "Decoded evidence",
        "touch_policy",
    ]);
    for name in report["appraisals"][0]["claims"].as_object().unwrap().keys() {
        answer.shows(&[name]);
    }
}

#[tokio::test]
async fn a_refusal_says_first_what_to_do() {
    let site = Site::open().await;
    let other = keyvouch_emulator::samples("yubihsm2").unwrap().remove(0);
    let mut parts = parts(&site.sample);
    parts.retain(|(name, ..)| *name == "evidence");
    let request = other.request.as_ref().unwrap();
    parts.push(("request", Some("other.csr"), &request.bytes));
    let answer = site.hand_in(&parts).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let answer = site.get(&answer.location).await;
    answer.shows(&["<h1>Refused</h1>", "Why, and what to do", "csr-key-mismatch", "What to do: "]);
    let place = |text: &str| answer.text.find(text).unwrap();
    assert!(place("What to do: ") < place("Every check") && place("csr-key-mismatch") < place("Bound to"));
    is_plain(&answer);
}

#[tokio::test]
async fn what_cannot_be_judged_shows_the_form_with_the_error_at_its_place() {
    let site = Site::open().await;
    let file = |name, bytes| ("evidence", Some(name), bytes);
    let text = |name, text: &'static str| -> Part<'static> { (name, None, text.as_bytes()) };
    let cases: Vec<(Vec<Part<'_>>, StatusCode, &str, &str)> = vec![
        (
            vec![file("", b"".as_slice())],
            StatusCode::UNPROCESSABLE_ENTITY,
            "id=\"evidence-error\"",
            "No evidence was given",
        ),
        (
            vec![file("a.pem", b"".as_slice())],
            StatusCode::UNPROCESSABLE_ENTITY,
            "id=\"evidence-error\"",
            "a.pem: the file is empty",
        ),
        (
            vec![file("a", b"x".as_slice()), text("nonce", "xyz")],
            StatusCode::UNPROCESSABLE_ENTITY,
            "id=\"nonce-error\"",
            "two hexadecimal digits",
        ),
        (
            vec![file("a", b"x".as_slice()), text("nonce", "ab"), text("challenge", "c")],
            StatusCode::UNPROCESSABLE_ENTITY,
            "id=\"nonce-error\"",
            "both given",
        ),
        (
            vec![file("a", b"x".as_slice()), text("challenge", "nobody-gave-it-out")],
            StatusCode::CONFLICT,
            "id=\"challenge-error\"",
            "not given out",
        ),
        (
            vec![file("a", b"x".as_slice()), text("policy", "no-such")],
            StatusCode::UNPROCESSABLE_ENTITY,
            "id=\"policies-error\"",
            "no policy",
        ),
    ];
    for (parts, status, place, words) in cases {
        let answer = site.hand_in(&parts).await;
        assert_eq!(answer.status, status, "{words}: {}", answer.text);
        answer.shows(&[place, words, "role=\"alert\"", "<title>Error: "]);
        is_plain(&answer);
    }
    assert_eq!(site.node.service.store().log().await.unwrap().size, 0, "nothing of it is recorded");
}

#[tokio::test]
async fn what_was_entered_is_still_there_after_an_error() {
    let site = Site::open().await;
    let parts: Vec<Part<'_>> = vec![
        ("policy", None, b"eidas-qscd"),
        ("nonce", None, b"zz\"><b>"),
        ("option.declared_device", None, b"Utimaco"),
    ];
    let answer = site.hand_in(&parts).await;
    answer.shows(&[
        "value=\"eidas-qscd\" checked",
        "value=\"zz&quot;&gt;&lt;b&gt;\"",
        "value=\"Utimaco\"",
        "<details class=\"step more\" open",
    ]);
}

#[tokio::test]
async fn names_of_strangers_are_text() {
    let site = Site::open().await;
    let evil = "\u{202e}<script>alert(1)</script>\"' onload=x <img src=x>.pem";
    let mut parts = parts(&site.sample);
    parts[0].1 = Some(evil);
    let answer = site.hand_in(&parts).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    let answer = site.get(&answer.location).await;
    is_plain(&answer);
    answer.shows(&["&lt;script&gt;alert(1)&lt;/script&gt;"]);
    assert!(!answer.text.contains('\u{202e}') && !answer.text.contains("<img src=x"));
}

#[tokio::test]
async fn evidence_of_strangers_is_text() {
    let site = Site::open().await;
    let declared = "<script>alert(2)</script>\u{2066}";
    let evidence = br#"{"kty":"<script>alert(3)</script>"}"#;
    let parts: Vec<Part<'_>> =
        vec![("evidence", Some("a.json"), evidence), ("option.declared_device", None, declared.as_bytes())];
    let answer = site.hand_in(&parts).await;
    let answer = site.get(&answer.location).await;
    is_plain(&answer);
    answer.shows(&["&lt;script&gt;alert(2)"]);
    assert!(!answer.text.contains('\u{2066}'));
}

#[tokio::test]
async fn searches_escape_what_was_asked() {
    let site = Site::open().await;
    let answer = site.get("/appraisals?vendor=%22%3E%3Cscript%3Ealert(1)%3C/script%3E").await;
    assert_eq!(answer.status, StatusCode::OK);
    is_plain(&answer);
    answer.shows(&["value=\"&quot;&gt;&lt;script&gt;", "No record is like that."]);
}

#[tokio::test]
async fn the_record_is_searched_and_paged() {
    let site = Site::open().await;
    for _ in 0..26 {
        site.recorded().await;
    }
    let first = site.get("/appraisals?vendor=Yubico&model=").await;
    let rows = |answer: &Answer| answer.text.matches("<a href=\"/appraisals/").count();
    assert_eq!(rows(&first), 25);
    first.shows(&["href=\"/appraisals?vendor=Yubico&amp;before=1\"", "33162554", "value=\"Yubico\""]);
    let second = site.get("/appraisals?vendor=Yubico&before=1").await;
    assert_eq!(rows(&second), 1);
    assert!(!second.text.contains(">Older<") && second.text.contains(">Newest<"));
    assert_eq!(rows(&site.get("/appraisals?vendor=Entrust").await), 0);
    assert_eq!(rows(&site.get("/appraisals?until=2000-01-01").await), 0);
    for (query, name) in [("since=yesterday", "since"), ("before=x", "before"), ("serail=1", "serail")] {
        let answer = site.get(&format!("/appraisals?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        answer.shows(&[name]);
    }
}

#[tokio::test]
async fn what_is_recorded_can_be_kept() {
    let site = Site::open().await;
    let record = site.recorded().await;
    let bundle =
        site.node.service.store().bundle(record.strip_prefix("/appraisals/").unwrap()).await.unwrap();
    let page = site.get(&record).await;
    for (name, kind, begin) in [
        ("report.json", "application/json", "{\n  \"appraisals\""),
        ("report.html", "text/html; charset=utf-8", "<!DOCTYPE html>"),
        ("result.jwt", "application/eat+jwt", "eyJ"),
    ] {
        let address = format!("{record}/{name}");
        page.shows(&[&format!("href=\"{address}\" download")]);
        let answer = site.get(&address).await;
        assert_eq!((answer.status, answer.header(header::CONTENT_TYPE)), (StatusCode::OK, kind));
        assert!(answer.header(header::CONTENT_DISPOSITION).starts_with("attachment; "), "{name}");
        assert!(answer.text.starts_with(begin), "{name}: {}", answer.text);
    }
    assert_eq!(site.get(&format!("{record}/report.json")).await.text.as_bytes(), bundle.report);
    let alone = site.get(&format!("{record}/report.html")).await.text;
    assert!(alone.contains("<style>") && !alone.contains("/assets/"), "{alone}");
    // The links to the API lead to what they say.
    let links = page
        .text
        .split("href=\"")
        .filter_map(|rest| rest.split('"').next())
        .filter(|link| link.starts_with("/v1/"));
    let links: Vec<&str> = links.collect();
    assert_eq!(links.len(), 3 + 2, "two files of evidence, a request, the bundle, the proof: {links:?}");
    for link in links {
        let answer = site.get(link).await;
        assert_eq!(answer.status, StatusCode::OK, "{link}");
    }
}

#[tokio::test]
async fn recorded_evidence_is_judged_again() {
    let site = Site::open().await;
    let first = site.recorded().await;
    let answer = site.post(&format!("{first}/again"), "").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    assert_ne!(answer.location, first);
    site.get(&answer.location).await.shows(&["<h1>Accepted</h1>", "leaf 1 of"]);
}

#[tokio::test]
async fn a_sample_is_judged_and_not_recorded() {
    let site = Site::open().await;
    let answer = site.post("/samples", "format=yubihsm2").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    is_plain(&answer);
    answer.shows(&["Sample under a throw-away root: not recorded.", "<h1>Accepted", "Chain of trust"]);
    assert!(!answer.text.contains("Auditor's bundle"));
    assert_eq!(site.node.service.store().log().await.unwrap().size, 0);
    let files = site.post("/samples/files", "format=yubihsm2&variant=").await;
    assert_eq!((files.status, files.header(header::CONTENT_TYPE)), (StatusCode::OK, "application/zip"));
    for form in ["format=abacus", "format=yubihsm2&variant=none"] {
        assert_eq!(site.post("/samples", form).await.status, StatusCode::NOT_FOUND, "{form}");
    }
    assert_eq!(site.post("/samples", "x=y").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn guides_link_to_each_other() {
    let site = Site::open().await;
    site.get("/devices").await.shows(&["href=\"/devices/nshield\"", "href=\"/docs/records\""]);
    let answer = site.get("/devices/yubikey-piv").await;
    answer.shows(&[
        "<h1>YubiKey PIV</h1>",
        "href=\"/docs/architecture#checks-that-every-format-shares\"",
        "<table>",
    ]);
    site.get("/docs/architecture").await.shows(&["id=\"checks-that-every-format-shares\""]);
    site.get("/docs/policies").await.shows(&["href=\"/docs/keyvouch.cedarschema\"", "href=\"/devices\""]);
    site.get("/docs/keyvouch.cedarschema").await.shows(&["What an appraisal policy can speak of."]);
    assert_eq!(site.get("/devices/abacus").await.status, StatusCode::NOT_FOUND);
    assert_eq!(site.get("/devices/..%2f..%2fCargo").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn assets_are_kept_by_browsers_as_long_as_they_are_the_same() {
    let site = Site::open().await;
    let page = site.get("/").await.text;
    for (name, kind) in [
        ("style.css", "text/css; charset=utf-8"),
        ("script.js", "text/javascript; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    ] {
        let address = page.split('"').find(|text| text.starts_with(&format!("/assets/{name}?v="))).unwrap();
        let answer = site.get(address).await;
        assert_eq!((answer.status, answer.header(header::CONTENT_TYPE)), (StatusCode::OK, kind));
        assert!(answer.header(header::CACHE_CONTROL).contains("immutable"));
        let stale = site.get(&format!("/assets/{name}?v=0")).await;
        assert_eq!(stale.header(header::CACHE_CONTROL), "no-cache");
    }
    assert_eq!(site.get("/assets/secret").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn people_get_problems_as_pages_and_machines_as_documents() {
    let site = Site::open().await;
    let answer = site.get("/appraisals/none").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    is_plain(&answer);
    answer.shows(&["There is no such thing"]);
    let answer = site.get("/appraisals/%ff").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    is_plain(&answer);
    let machine = axum::http::Request::get("/appraisals/none")
        .header(header::HOST, "localhost")
        .body(Body::empty())
        .unwrap();
    let answer = site.ask(machine).await;
    assert_eq!(answer.header(header::CONTENT_TYPE), "application/problem+json");
}

#[tokio::test]
async fn another_site_can_hand_in_nothing() {
    let site = Site::open().await;
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "http://evil.example")] {
        let mut request = page_support::multipart("/appraise", &parts(&site.sample));
        request.headers_mut().insert(name, value.parse().unwrap());
        assert_eq!(site.ask(request).await.status, StatusCode::FORBIDDEN, "{name}");
    }
    assert_eq!(site.node.service.store().log().await.unwrap().size, 0);
}

#[tokio::test]
async fn roles_see_what_they_may() {
    let site = Site::with(|config| config.access = Access::Tokens).await;
    let store = site.node.service.store();
    let mut tokens = Vec::new();
    for (name, role) in [("ra-1", Role::Submit), ("ra-2", Role::Submit), ("auditor", Role::Read)] {
        tokens.push(store.create_token(name, role, 1, None).await.unwrap().secret);
    }
    let get = async |token: &str, address: &str| {
        let request = browser("GET", address).header(header::AUTHORIZATION, format!("Bearer {token}"));
        site.ask(request.body(Body::empty()).unwrap()).await
    };
    // Who shows no token is asked for one, and then led on.
    let answer = site.get("/appraisals?vendor=a%26b").await;
    assert_eq!(
        (answer.status, answer.location.as_str()),
        (StatusCode::SEE_OTHER, "/login?next=%2Fappraisals%3Fvendor%3Da%2526b")
    );
    site.get(&answer.location)
        .await
        .shows(&["name=\"next\" value=\"/appraisals?vendor=a%26b\"", "name=\"token\""]);
    site.get("/login?next=//evil.example").await.shows(&["name=\"next\" value=\"/\""]);
    // Their own records, and not those of others.
    let mut request = page_support::multipart("/appraise", &parts(&site.sample));
    request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {}", tokens[0]).parse().unwrap());
    let record = site.ask(request).await.location;
    for (token, address, status) in [
        (&tokens[0], record.as_str(), StatusCode::OK),
        (&tokens[1], record.as_str(), StatusCode::NOT_FOUND),
        (&tokens[2], record.as_str(), StatusCode::OK),
        (&tokens[0], "/appraisals", StatusCode::FORBIDDEN),
        (&tokens[2], "/appraisals", StatusCode::OK),
        (&tokens[0], "/", StatusCode::OK),
    ] {
        assert_eq!(get(token, address).await.status, status, "{address}");
    }
    assert!(!get(&tokens[0], &record).await.text.contains("/bundle\""), "the operator's trust data is in it");
    assert!(get(&tokens[2], &record).await.text.contains("/bundle\""));
}
