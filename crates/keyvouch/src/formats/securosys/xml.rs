//! The document as a tree, read so that there is one way to understand it.
//!
//! The names and texts in a document are the user's (labels, names of approvers), and a reader that takes "the
//! first element of that name" can be led astray by them. So everything that could be read in two ways is
//! refused here, and elements are reached by their full path only.

use std::collections::BTreeSet;

use roxmltree::{Error, Node, ParsingOptions};

/// No element of a real document lies deeper than six levels.
const MAX_DEPTH: usize = 10;

/// A real document has about forty nodes, with an approval policy a few hundred.
const MAX_NODES: u32 = 20_000;

/// The root of a document about a private key.
pub(super) const ROOT: &str = "private_key";

/// Where an element may be there more than once: rules have tokens, tokens groups, groups approvals.
const REPEATABLE: [(&str, &str); 6] = [
    ("rule_use", "token"),
    ("rule_block", "token"),
    ("rule_unblock", "token"),
    ("rule_modify", "token"),
    ("token", "group"),
    ("group", "approval"),
];

/// Why bytes are not a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    Encoding(&'static str),
    Doctype(String),
    Malformed(String),
    Root(String),
    Depth,
    Duplicate(String),
}

impl Fault {
    pub(super) fn detail(&self) -> String {
        match self {
            Self::Encoding(why) => (*why).to_owned(),
            Self::Doctype(why) | Self::Malformed(why) => why.clone(),
            Self::Root(name) => format!("the root element is {name:?}, not {ROOT:?}"),
            Self::Depth => format!("elements are nested deeper than {MAX_DEPTH} levels"),
            Self::Duplicate(what) => format!("{what} is there twice"),
        }
    }
}

/// An element: with text, or with elements, never with both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    attributes: Vec<(String, String)>,
    text: String,
    pub(super) children: Vec<Element>,
}

impl Element {
    /// The element at a path below this one, such as `attributes/extractable`.
    pub(super) fn at(&self, path: &str) -> Option<&Self> {
        path.split('/').try_fold(self, |e, name| e.children.iter().find(|c| c.name == name))
    }

    /// The elements of that name directly below.
    pub(super) fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Self> {
        self.children.iter().filter(move |c| c.name == name)
    }

    /// The text, where there are no elements inside.
    pub(super) fn text(&self) -> Option<&str> {
        self.children.is_empty().then_some(&self.text)
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// Reads a document that fills `bytes`.
pub(super) fn read(bytes: &[u8]) -> Result<Element, Fault> {
    let text = utf_8(bytes)?;
    no_declarations(text)?;
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, entity_resolver: None };
    let tree = roxmltree::Document::parse_with_options(text, options).map_err(fault)?;
    let root = tree.root_element();
    if root.tag_name().name() != ROOT {
        return Err(Fault::Root(root.tag_name().name().to_owned()));
    }
    for node in tree.descendants() {
        check_node(node)?;
    }
    Ok(element(root))
}

fn utf_8(bytes: &[u8]) -> Result<&str, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|_| Fault::Encoding("the document is not UTF-8"))?;
    if text.starts_with('\u{feff}') {
        return Err(Fault::Encoding("the document begins with a byte-order mark"));
    }
    // UTF-16 of ASCII is UTF-8 with zeros between.
    if text.contains('\0') {
        return Err(Fault::Encoding("the document holds zero bytes, as UTF-16 does"));
    }
    let declaration = text.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>")).map(|(d, _)| d);
    let named = declaration.and_then(|d| d.split_once("encoding")).map(|(_, rest)| rest);
    let utf_8 = named.is_none_or(|rest| {
        rest.split(['"', '\'']).nth(1).is_some_and(|value| value.eq_ignore_ascii_case("UTF-8"))
    });
    if utf_8 { Ok(text) } else { Err(Fault::Encoding("the document declares another encoding than UTF-8")) }
}

/// In text and attributes `<` is always escaped, so `<!` can only begin a DOCTYPE, a comment or a CDATA
/// section. A Primus HSM writes none of them, and readers differ in what text is around them.
fn no_declarations(text: &str) -> Result<(), Fault> {
    let Some((_, found)) = text.split_once("<!") else { return Ok(()) };
    if found.starts_with("DOCTYPE") || found.starts_with("ENTITY") {
        return Err(Fault::Doctype("the document has a DOCTYPE".to_owned()));
    }
    Err(Fault::Malformed("the document has a comment or CDATA section".to_owned()))
}

fn fault(error: Error) -> Fault {
    match error {
        Error::DtdDetected => Fault::Doctype("the document has a DOCTYPE".to_owned()),
        Error::UnknownEntityReference(name, _) => {
            Fault::Doctype(format!("the document uses an entity of its own, {name:?}"))
        }
        Error::EntityReferenceLoop(_) | Error::EntityResolver(..) => {
            Fault::Doctype("the document uses an entity of its own".to_owned())
        }
        Error::DuplicatedAttribute(name, _) => Fault::Duplicate(format!("attribute {name:?}")),
        other => Fault::Malformed(format!("not well-formed XML: {other}")),
    }
}

fn check_node(node: Node<'_, '_>) -> Result<(), Fault> {
    if node.is_comment() || node.is_pi() {
        return Err(Fault::Malformed("the document has a comment or processing instruction".to_owned()));
    }
    // One more than the elements, for the document itself.
    if node.ancestors().take(MAX_DEPTH.saturating_add(2)).filter(Node::is_element).count() > MAX_DEPTH {
        return Err(Fault::Depth);
    }
    if !node.is_element() {
        return Ok(());
    }
    let name = node.tag_name().name();
    if node.tag_name().namespace().is_some() || node.attributes().any(|a| a.namespace().is_some()) {
        return Err(Fault::Malformed(format!("{name:?} is in a namespace")));
    }
    let mut seen = BTreeSet::new();
    for child in node.children().filter(Node::is_element).map(|c| c.tag_name().name()) {
        if !seen.insert(child) && !REPEATABLE.contains(&(name, child)) {
            return Err(Fault::Duplicate(format!("element {child:?} in {name:?}")));
        }
    }
    let stray = |n: Node<'_, '_>| n.is_text() && n.text().is_some_and(|t| !t.trim().is_empty());
    if !seen.is_empty() && node.children().any(stray) {
        return Err(Fault::Malformed(format!("{name:?} holds text between elements")));
    }
    Ok(())
}

/// Recursion ends: the depth was checked.
fn element(node: Node<'_, '_>) -> Element {
    Element {
        name: node.tag_name().name().to_owned(),
        attributes: node.attributes().map(|a| (a.name().to_owned(), a.value().to_owned())).collect(),
        text: node.children().filter(Node::is_text).filter_map(|t| t.text()).collect(),
        children: node.children().filter(Node::is_element).map(element).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

    fn refused(body: &str) -> Fault {
        read(format!("{START}{body}").as_bytes()).unwrap_err()
    }

    #[test]
    fn elements_are_reached_by_full_path() {
        let body = "<private_key a='1'>\n\t<label>&lt;x&gt;&apos;</label>\n\t<b>\n\t\t<label>2</label>\n\t</b>\n</private_key>\n\n";
        let root = read(format!("{START}{body}").as_bytes()).unwrap();
        assert_eq!(root.at("label").and_then(Element::text), Some("<x>'"));
        assert_eq!(root.at("b/label").and_then(Element::text), Some("2"));
        assert_eq!(root.at("b").and_then(Element::text), None);
        assert_eq!(root.attribute("a"), Some("1"));
        assert!(root.at("none/label").is_none());
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        assert!(matches!(refused("<private_key><a/><a/></private_key>"), Fault::Duplicate(_)));
        assert!(matches!(refused("<private_key a='1' a='2'/>"), Fault::Duplicate(_)));
        assert!(matches!(refused("<private_key>f<!-- -->t</private_key>"), Fault::Malformed(_)));
        assert!(matches!(refused("<private_key><![CDATA[f]]></private_key>"), Fault::Malformed(_)));
        assert!(matches!(refused("<private_key>x<a/></private_key>"), Fault::Malformed(_)));
        assert!(matches!(refused("<?pi x?><private_key/>"), Fault::Malformed(_)));
        assert!(matches!(refused("<private_key xmlns='u'/>"), Fault::Malformed(_)));
        assert!(matches!(refused("<private_key/><private_key/>"), Fault::Malformed(_)));
    }

    #[test]
    fn nothing_is_declared_and_nothing_expanded() {
        assert!(matches!(refused("<!DOCTYPE private_key><private_key/>"), Fault::Doctype(_)));
        assert!(matches!(refused("<private_key>&x;</private_key>"), Fault::Doctype(_)));
    }

    #[test]
    fn only_utf_8() {
        assert!(matches!(read(b"\xef\xbb\xbf<private_key/>"), Err(Fault::Encoding(_))));
        assert!(matches!(read(b"<private_key>\xff</private_key>"), Err(Fault::Encoding(_))));
        let latin = b"<?xml version=\"1.0\" encoding='ISO-8859-1'?><private_key/>";
        assert!(matches!(read(latin), Err(Fault::Encoding(_))));
        assert!(read(b"<?xml version=\"1.0\" encoding='utf-8'?><private_key/>").is_ok());
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let nested = |depth: usize| {
            let inner = "<a>".repeat(depth - 1) + &"</a>".repeat(depth - 1);
            read(format!("<private_key>{inner}</private_key>").as_bytes())
        };
        assert!(nested(10).is_ok());
        assert_eq!(nested(11), Err(Fault::Depth));
        assert_eq!(nested(5000), Err(Fault::Depth));
        let many: String = (0..30_000).map(|i| format!("<a{i}/>")).collect();
        let many = read(format!("<private_key>{many}</private_key>").as_bytes());
        assert!(matches!(many, Err(Fault::Malformed(_))));
    }
}
