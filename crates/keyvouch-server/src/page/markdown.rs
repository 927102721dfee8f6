//! Markdown as HTML: the guides of this repository.

use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// A document: its title, and what comes after.
pub(super) struct Document {
    pub(super) title: String,
    pub(super) html: String,
}

/// A document as HTML. `link` says where a link of it leads here; nothing when there is no such place.
///
/// HTML in the document is shown as text.
pub(super) fn document(markdown: &str, link: impl Fn(&str) -> Option<String>) -> Document {
    let events: Vec<Event<'_>> = Parser::new_ext(markdown, Options::ENABLE_TABLES).collect();
    let mut title = String::new();
    let mut kept = Vec::with_capacity(events.len());
    let mut headings =
        events.split(|event| matches!(event, Event::Start(Tag::Heading { .. }))).skip(1).map(text_of);
    let (mut in_title, mut unlinked, mut tables) = (false, false, 0_usize);
    for event in &events {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                let text = headings.next().unwrap_or_default();
                if *level == HeadingLevel::H1 && title.is_empty() {
                    in_title = true;
                    title = text;
                } else {
                    let id = Some(CowStr::from(slug(&text)));
                    kept.push(Event::Start(Tag::Heading {
                        level: *level,
                        id,
                        classes: Vec::new(),
                        attrs: Vec::new(),
                    }));
                }
            }
            Event::End(TagEnd::Heading(_)) if in_title => in_title = false,
            _ if in_title => {}
            Event::Start(Tag::Table(alignment)) => {
                // Wide ones scroll, also by keyboard.
                tables = tables.saturating_add(1);
                let region = format!(
                    "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table {tables}\">"
                );
                kept.push(Event::Html(region.into()));
                kept.push(Event::Start(Tag::Table(alignment.clone())));
            }
            Event::End(TagEnd::Table) => {
                kept.push(Event::End(TagEnd::Table));
                kept.push(Event::Html("</div>".into()));
            }
            Event::Start(Tag::Link { dest_url, title, id, link_type }) => match link(dest_url) {
                Some(address) => kept.push(Event::Start(Tag::Link {
                    link_type: *link_type,
                    dest_url: address.into(),
                    title: title.clone(),
                    id: id.clone(),
                })),
                None => unlinked = true,
            },
            Event::End(TagEnd::Link) if unlinked => unlinked = false,
            Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => {}
            Event::Html(text) | Event::InlineHtml(text) => kept.push(Event::Text(text.clone())),
            Event::Start(Tag::CodeBlock(kind)) => {
                kept.push(Event::Start(Tag::CodeBlock(kind.clone())));
            }
            other => kept.push(other.clone()),
        }
    }
    let mut out = String::new();
    html::push_html(&mut out, kept.into_iter());
    // Code scrolls too; nothing of a document can be this text, since all of it is escaped.
    Document { title, html: out.replace("<pre>", "<pre tabindex=\"0\">") }
}

/// The text of the heading that these events begin with.
fn text_of(events: &[Event<'_>]) -> String {
    let heading = events.iter().take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))));
    heading
        .filter_map(|event| match event {
            Event::Text(text) | Event::Code(text) => Some(text.as_ref()),
            _ => None,
        })
        .collect()
}

/// The name of a heading in addresses, as the forges make it.
fn slug(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// Whether a link leads elsewhere.
pub(super) fn leads_elsewhere(link: &str) -> bool {
    link.starts_with("https://") || link.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(markdown: &str) -> String {
        document(markdown, |link| link.strip_suffix(".md").map(|name| format!("/devices/{name}"))).html
    }

    #[test]
    fn html_is_text() {
        let html = html("# T\n\n<script>alert(1)</script>\n\na <b onclick=x>b</b>\n");
        assert!(!html.contains("<script") && !html.contains("<b "), "{html}");
        assert!(html.contains("&lt;script&gt;"), "{html}");
    }

    #[test]
    fn links_lead_here_or_nowhere() {
        assert!(html("[a](tpm.md)").contains("<a href=\"/devices/tpm\">a</a>"));
        assert_eq!(html("[a](javascript:alert%281%29)"), "<p>a</p>\n");
        assert_eq!(html("![a](https://elsewhere.example/a.png)"), "<p>a</p>\n");
    }

    #[test]
    fn headings_can_be_linked_to() {
        let document =
            document("# The title\n\ntext\n\n## For the CA officer: what is `checked`\n", |_| None);
        assert_eq!(document.title, "The title");
        assert!(
            document.html.contains("<h2 id=\"for-the-ca-officer-what-is-checked\">"),
            "{}",
            document.html
        );
    }
}
