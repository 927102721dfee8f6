//! The XML document: a fixed template with tabs, and two line feeds at the end.

use crate::Error;
use crate::bundle::base64;
use crate::key::{Key, KeyKind, curve_oid};
use serde_json::{Map, Value, json};

/// An element, which writes itself on lines of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Tag; empty writes the content alone, which must then be [`Content::Raw`].
    pub name: String,
    /// XML attributes in this order, values not yet escaped.
    pub attributes: Vec<(String, String)>,
    /// What is inside.
    pub content: Content,
}

/// What is inside an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Text, escaped when written.
    Text(String),
    /// Elements, each on lines of its own.
    Children(Vec<Element>),
    /// Text written as it is: markup, entities, anything.
    Raw(String),
}

impl Element {
    /// An element with text.
    pub fn text(name: &str, text: impl Into<String>) -> Self {
        Self { name: name.to_owned(), attributes: Vec::new(), content: Content::Text(text.into()) }
    }

    /// An element with elements.
    pub fn parent(name: &str, children: Vec<Self>) -> Self {
        Self { name: name.to_owned(), attributes: Vec::new(), content: Content::Children(children) }
    }

    /// A line of its own that is written as it is.
    pub fn raw(text: &str) -> Self {
        Self { name: String::new(), attributes: Vec::new(), content: Content::Raw(text.to_owned()) }
    }

    /// Add an XML attribute.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.attributes.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Its elements; none when it holds text.
    pub fn children(&self) -> &[Self] {
        match &self.content {
            Content::Children(children) => children,
            Content::Text(_) | Content::Raw(_) => &[],
        }
    }

    /// Add an element at the end; text that was there is dropped.
    pub fn push(&mut self, child: Self) {
        match &mut self.content {
            Content::Children(children) => children.push(child),
            content => *content = Content::Children(vec![child]),
        }
    }

    fn find(&mut self, path: &str) -> Option<&mut Self> {
        path.split('/').try_fold(self, |element, name| match &mut element.content {
            Content::Children(children) => children.iter_mut().find(|child| child.name == name),
            Content::Text(_) | Content::Raw(_) => None,
        })
    }

    fn write(&self, depth: usize, out: &mut String) {
        let indent = "\t".repeat(depth);
        out.push_str(&indent);
        if !self.name.is_empty() {
            out.push_str(&format!("<{}", self.name));
            for (name, value) in &self.attributes {
                out.push_str(&format!(" {name}=\"{}\"", escape(value)));
            }
            out.push('>');
        }
        match &self.content {
            Content::Text(text) => out.push_str(&escape(text)),
            Content::Raw(text) => out.push_str(text),
            Content::Children(children) => {
                out.push('\n');
                children.iter().for_each(|child| child.write(depth + 1, out));
                out.push_str(&indent);
            }
        }
        if !self.name.is_empty() {
            out.push_str(&format!("</{}>", self.name));
        }
        out.push('\n');
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&apos;")
}

/// The document. Change anything, then [`Document::render`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// All before the root element, with its line feed; a DOCTYPE would go here.
    pub declaration: String,
    /// `private_key`.
    pub root: Element,
    /// All after the line of the closing root tag: one more line feed.
    pub tail: String,
}

impl Document {
    /// The document of a key generated in the device, with flags as for a signing key.
    ///
    /// # Errors
    /// [`Error::UnfitKey`] for X25519.
    pub fn of(label: &str, key: &Key) -> Result<Self, Error> {
        let (algorithm, oid) = match key.kind() {
            KeyKind::X25519 => return Err(Error::UnfitKey("Primus signing key", key.kind())),
            KeyKind::Ed25519 => ("ED", "1.3.101.112"),
            _ if key.rsa_public().is_some() => ("RSA", "1.2.840.113549.1.1.1"),
            _ => ("EC", "1.2.840.10045.2.1"),
        };
        let mut elements = vec![
            Element::text("label", label),
            Element::text("create_time", "2026-05-18T08:31:53Z"),
            Element::text("attest_time", "2026-05-20T14:19:33Z"),
            Element::text("key_use_count", "1"),
            Element::text("algorithm", algorithm),
            Element::text("algorithm_oid", oid),
        ];
        if algorithm == "EC" {
            elements.push(Element::text("curve_oid", curve_oid(key.kind())?));
        }
        if let Some((modulus, _)) = key.rsa_public() {
            elements.push(Element::text("key_size", (modulus.len() * 8).to_string()));
        }
        elements.push(Element::text("public_key", base64(&key.spki_der()?)));
        let flags = [
            ("decrypt", false),
            ("sign", true),
            ("unwrap", false),
            ("derive", false),
            ("sensitive", true),
            ("always_sensitive", true),
            ("extractable", false),
            ("never_extractable", true),
            ("modifiable", false),
            ("copyable", false),
            ("destroyable", true),
            ("unique", true),
        ];
        let flags = flags.map(|(name, value)| Element::text(name, value.to_string()));
        elements.push(Element::parent("attributes", flags.to_vec()));
        Ok(Self {
            declaration: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned(),
            root: Element::parent("private_key", elements).with("creation", "generated"),
            tail: "\n".to_owned(),
        })
    }

    /// The bytes to sign.
    pub fn render(&self) -> Vec<u8> {
        let mut out = self.declaration.clone();
        self.root.write(0, &mut out);
        out.push_str(&self.tail);
        out.into_bytes()
    }

    /// The element at a path below the root, such as `attributes/extractable`.
    ///
    /// # Errors
    /// [`Error::NoElement`].
    pub fn element_mut(&mut self, path: &str) -> Result<&mut Element, Error> {
        self.root.find(path).ok_or_else(|| Error::NoElement(path.to_owned()))
    }

    /// Give an element this text.
    ///
    /// # Errors
    /// [`Error::NoElement`].
    pub fn set(&mut self, path: &str, text: &str) -> Result<(), Error> {
        self.element_mut(path)?.content = Content::Text(text.to_owned());
        Ok(())
    }

    /// Set or add an XML attribute of the root element: `creation`, `storage`.
    pub fn set_root_attribute(&mut self, name: &str, value: &str) {
        self.root.attributes.retain(|(present, _)| present != name);
        self.root.attributes.push((name.to_owned(), value.to_owned()));
    }

    /// Take an element away.
    ///
    /// # Errors
    /// [`Error::NoElement`].
    pub fn remove(&mut self, path: &str) -> Result<(), Error> {
        self.siblings(path, |children, at| {
            children.remove(at);
        })
    }

    /// Write an element twice.
    ///
    /// # Errors
    /// [`Error::NoElement`].
    pub fn duplicate(&mut self, path: &str) -> Result<(), Error> {
        self.siblings(path, |children, at| children.insert(at, children[at].clone()))
    }

    /// Put an element before the one at a path.
    ///
    /// # Errors
    /// [`Error::NoElement`].
    pub fn insert_before(&mut self, path: &str, element: Element) -> Result<(), Error> {
        self.siblings(path, |children, at| children.insert(at, element))
    }

    fn siblings(&mut self, path: &str, change: impl FnOnce(&mut Vec<Element>, usize)) -> Result<(), Error> {
        let missing = || Error::NoElement(path.to_owned());
        let (parent, name) = match path.rsplit_once('/') {
            Some((parent, name)) => (self.element_mut(parent)?, name),
            None => (&mut self.root, path),
        };
        let Content::Children(children) = &mut parent.content else { return Err(missing()) };
        let at = children.iter().position(|child| child.name == name).ok_or_else(missing)?;
        change(children, at);
        Ok(())
    }

    /// The text of the label, or nothing.
    pub fn label(&self) -> String {
        self.value("label").as_str().unwrap_or_default().to_owned()
    }

    fn value(&self, name: &str) -> Value {
        let found = self.root.children().iter().find(|child| child.name == name);
        found.map_or(Value::Null, text_value)
    }

    /// The unsigned copy that the REST interface gives beside the document; it lacks the origin.
    pub fn unsigned_copy(&self) -> Value {
        let camel = |name: &str| {
            let mut parts = name.split('_');
            let first = parts.next().unwrap_or_default().to_owned();
            parts.fold(first, |sum, part| sum + &part[..1].to_uppercase() + &part[1..])
        };
        let flags: Map<String, Value> = self
            .root
            .children()
            .iter()
            .filter(|element| element.name == "attributes")
            .flat_map(Element::children)
            .map(|flag| (camel(&flag.name), json!(text_value(flag) == "true")))
            .collect();
        json!({
            "label": self.value("label"),
            "id": null,
            "uuid": self.value("uuid"),
            "algorithm": self.value("algorithm"),
            "algorithmOid": self.value("algorithm_oid"),
            "curveOid": self.value("curve_oid"),
            "keySize": self.value("key_size").as_str().and_then(|text| text.parse::<u32>().ok()),
            "createTime": self.value("create_time"),
            "attestTime": self.value("attest_time"),
            "publicKey": self.value("public_key"),
            "attributes": flags,
            "policy": null,
        })
    }
}

fn text_value(element: &Element) -> Value {
    match &element.content {
        Content::Text(text) => json!(text),
        Content::Raw(_) | Content::Children(_) => Value::Null,
    }
}

/// `policy` of a key with Smart Key Attributes: every rule asks for approvals by one group of this quorum, whose only
/// member has this SubjectPublicKeyInfo.
pub fn policy(quorum: u32, approver: &[u8]) -> Element {
    let approval =
        Element::text("approval", base64(approver)).with("type", "public_key").with("name", "ApproverKey1");
    let group = Element::parent("group", vec![Element::text("quorum", quorum.to_string()), approval])
        .with("name", "Group1");
    let token = Element::parent(
        "token",
        vec![Element::text("timelock", "0"), Element::text("timeout", "600"), group],
    )
    .with("name", "Token1");
    let status = Element::parent("key_status", vec![Element::text("blocked", "false")]);
    let rules = ["rule_use", "rule_block", "rule_unblock", "rule_modify"];
    let rules = rules.map(|rule| Element::parent(rule, vec![token.clone()]));
    Element::parent("policy", [vec![status], rules.to_vec()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Document {
        Document::of("a 'b' <c>", &Key::shared("test", KeyKind::P256).unwrap()).unwrap()
    }

    fn text(document: &Document) -> String {
        String::from_utf8(document.render()).unwrap()
    }

    #[test]
    fn the_template_is_that_of_real_documents() {
        let text = text(&document());
        assert!(text.starts_with(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<private_key creation=\"generated\">\n\t<label>a &apos;b&apos; \
             &lt;c&gt;</label>\n\t<create_time>"
        ));
        assert!(text.contains("\t<curve_oid>1.2.840.10045.3.1.7</curve_oid>\n\t<public_key>MFkw"));
        assert!(text.contains(
            "</public_key>\n\t<attributes>\n\t\t<decrypt>false</decrypt>\n\t\t<sign>true</sign>\n"
        ));
        assert!(text.ends_with("\t\t<unique>true</unique>\n\t</attributes>\n</private_key>\n\n"));
    }

    #[test]
    fn an_rsa_4096_document_is_as_long_as_a_real_one() {
        let mut document =
            Document::of("rsa_4096_sign", &Key::shared("test", KeyKind::Rsa4096).unwrap()).unwrap();
        document.set("key_use_count", "10").unwrap();
        document.set("attributes/decrypt", "true").unwrap();
        assert_eq!(document.render().len(), 1524);
    }

    #[test]
    fn everything_can_be_spoilt() {
        let mut spoilt = document();
        spoilt.set("attributes/extractable", "true").unwrap();
        spoilt.duplicate("attributes/extractable").unwrap();
        spoilt.remove("attributes/sensitive").unwrap();
        spoilt.insert_before("label", Element::raw("<!-- raw -->")).unwrap();
        spoilt.set_root_attribute("creation", "imported");
        spoilt.set_root_attribute("storage", "external");
        let text = text(&spoilt);
        assert_eq!(text.matches("<extractable>true<").count(), 2);
        assert!(!text.contains("<sensitive>"));
        assert!(text.contains("<private_key creation=\"imported\" storage=\"external\">\n\t<!-- raw -->\n"));
        assert!(spoilt.set("attributes/none", "").is_err());
    }

    #[test]
    fn the_copy_has_the_same_values() {
        let copy = document().unsigned_copy();
        assert_eq!(copy["attributes"]["neverExtractable"], true);
        assert_eq!(copy["label"], "a 'b' <c>");
        assert!(copy.get("creation").is_none());
    }
}
