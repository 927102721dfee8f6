//! The warrant: Entrust's word, in one or more certificates of its own form, that a long-term key (KLF2) is that of
//! a module. Source: Entrust, application note "Warrants".

use super::checks as ck;
use crate::authentic::{Authentic, TrustedKey};
use crate::checks::Checks;
use crate::crypto::{Curve, Hash, PublicKey, Scheme};
use crate::formats::Context;
use crate::wire::d3s::{self, Value};

/// The name of every root that there is.
pub(super) const ROOT: &str = "KWARN-1";
/// Real warrants have two certificates.
const MAX_CERTIFICATES: usize = 4;
/// r and s of P-521.
const SIGNATURE_LEN: usize = 132;
const FIELD_UPGRADE: &str = "FieldUpgradeModuleInformation";

/// What a warrant says of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Module {
    pub(super) esn: String,
    pub(super) klf2: PublicKey,
    pub(super) field_upgrade: bool,
    pub(super) physical_serial: Option<String>,
    /// Approvals of the hardware's design when it was warranted; not the mode in which it runs.
    pub(super) approvals: Option<String>,
}

/// The payload of a certificate.
enum Payload {
    Delegation(PublicKey),
    Module(Module),
}

/// A certificate whose signature was not looked at yet.
pub(super) struct Certificate<'a> {
    payload: &'a [u8],
    signature: &'a [u8],
}

/// A warrant as it was handed over.
pub(super) struct Warrant<'a> {
    pub(super) root: &'a str,
    pub(super) certificates: Vec<Certificate<'a>>,
}

impl<'a> Warrant<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, String> {
        let list = d3s::read(bytes).map_err(|e| format!("the warrant cannot be read: {e}"))?;
        let items = list.list().ok_or("the warrant is not a list")?;
        let (root, rest) = items.split_first().ok_or("the warrant is empty")?;
        let root = root.symbol().ok_or("the warrant does not begin with the name of its root")?;
        if rest.is_empty() || rest.len() > MAX_CERTIFICATES {
            return Err(format!("the warrant has {} certificates", rest.len()));
        }
        let certificates = rest.iter().map(Certificate::read).collect::<Result<_, _>>()?;
        Ok(Self { root, certificates })
    }
}

impl<'a> Certificate<'a> {
    fn read(value: &Value<'a>) -> Result<Self, String> {
        let member = |name: &str| {
            let bytes = value.member(name).and_then(Value::bytes);
            bytes.ok_or_else(|| format!("a certificate of the warrant has no {name}"))
        };
        let certificate = Self { payload: member("Payload")?, signature: member("Signature")? };
        if matches!(value, Value::Map(members) if members.len() != 2) {
            return Err("a certificate of the warrant has more than payload and signature".to_owned());
        }
        if certificate.signature.len() != SIGNATURE_LEN {
            return Err(format!("a signature of the warrant has {} bytes", certificate.signature.len()));
        }
        Ok(certificate)
    }

    fn signed_by(&self, key: &TrustedKey) -> Option<Authentic<&'a [u8]>> {
        let valid = key.key().verify(Scheme::EcdsaFixed(Hash::Sha512), self.payload, self.signature);
        key.authenticate(valid.ok()?)
    }

    /// The type and, for modules, the content, for people. Nothing of it is authentic.
    pub(super) fn describe(&self) -> String {
        match Payload::read(self.payload) {
            Ok(Payload::Delegation(key)) => {
                format!("Delegation to a key with SHA-256 {}", hex::encode(key.spki_sha256()))
            }
            Ok(Payload::Module(m)) => format!("{} of module {}", m.kind(), m.esn),
            Err(why) => why,
        }
    }
}

impl Module {
    /// The type of the warrant certificate.
    pub(super) fn kind(&self) -> &'static str {
        if self.field_upgrade { FIELD_UPGRADE } else { "ModuleInformation" }
    }
}

impl Payload {
    fn read(bytes: &[u8]) -> Result<Self, String> {
        let map =
            d3s::read(bytes).map_err(|e| format!("the payload of a certificate cannot be read: {e}"))?;
        let kind = map.member("WarrantCertificateType").and_then(Value::symbol);
        match kind.ok_or("a certificate of the warrant has no type")? {
            "Delegation" => {
                mechanism(&map, "SigMech")?;
                Ok(Self::Delegation(key(&map, "DelegateKey")?))
            }
            kind @ ("ModuleInformation" | FIELD_UPGRADE) => {
                mechanism(&map, "KLF2mech")?;
                let esn = map.member("ElectronicSerialNumber").and_then(Value::text).filter(|t| is_serial(t));
                let physical = map.member("PhysicalSerialNumber");
                let physical_serial = physical.map(|p| p.text().filter(|t| is_serial(t)).map(str::to_owned));
                Ok(Self::Module(Module {
                    esn: esn.ok_or("the warrant has no serial number of the module")?.to_owned(),
                    klf2: key(&map, "KLF2pub")?,
                    field_upgrade: kind == FIELD_UPGRADE,
                    physical_serial: physical_serial.flatten(),
                    approvals: map.member("Approvals").and_then(approvals),
                }))
            }
            "SmartcardInformation" => Err("the warrant is that of a smart card, not of a module".to_owned()),
            other => Err(format!("certificate type {other:?} is not one of a module's warrant")),
        }
    }
}

/// Printable and short: it goes into reports and is compared with deny-lists.
fn is_serial(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| matches!(b, 0x21..=0x7e))
}

/// [ECDSA, [EMSA1, SHA512]]
fn mechanism(map: &Value<'_>, name: &str) -> Result<(), String> {
    let wanted = [Value::Symbol("ECDSA"), Value::List(vec![Value::Symbol("EMSA1"), Value::Symbol("SHA512")])];
    let is = map.member(name).and_then(Value::list) == Some(&wanted);
    is.then_some(()).ok_or_else(|| format!("{name} of the warrant is not ECDSA with SHA-512"))
}

/// [ECDSA, Public, NISTP521, [x, y]]
fn key(map: &Value<'_>, name: &str) -> Result<PublicKey, String> {
    let form = || format!("{name} of the warrant is not an ECDSA key on P-521");
    let Some(
        [Value::Symbol("ECDSA"), Value::Symbol("Public"), Value::Symbol("NISTP521"), Value::List(point)],
    ) = map.member(name).and_then(Value::list)
    else {
        return Err(form());
    };
    let [Value::Big(x), Value::Big(y)] = point.as_slice() else { return Err(form()) };
    let field = Curve::P521.field_len();
    let zeros = |n: &[u8]| field.checked_sub(n.len()).map(|missing| vec![0; missing]).ok_or_else(form);
    let point = [&[4], zeros(x)?.as_slice(), x, zeros(y)?.as_slice(), y].concat();
    let key = PublicKey::ec(Curve::P521, &point).map_err(|_| form())?;
    if key.is_on_curve() == Some(true) {
        Ok(key)
    } else {
        Err(format!("{name} of the warrant is not on its curve"))
    }
}

/// `[[FIPS140, 2, 3, MultiChipEmbedded]]` as `FIPS140-2 L3 MultiChipEmbedded`; other forms word by word.
fn approvals(value: &Value<'_>) -> Option<String> {
    let one = |approval: &Value<'_>| match approval.list()? {
        [Value::Symbol(scheme), Value::Small(version), Value::Small(level), rest @ ..] => {
            let rest: Option<String> = rest.iter().map(|v| Some(format!(" {}", word(v)?))).collect();
            Some(format!("{scheme}-{version} L{level}{}", rest?))
        }
        words => words.iter().map(word).collect::<Option<Vec<_>>>().map(|words| words.join(" ")),
    };
    let all: Vec<String> = value.list()?.iter().map(one).collect::<Option<_>>()?;
    (!all.is_empty()).then(|| all.join(", "))
}

fn word(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Small(number) => Some(number.to_string()),
        Value::Symbol(text) | Value::Text(text) => Some((*text).to_owned()),
        _ => None,
    }
}

/// Walks the warrant from the pinned key down to the module.
pub(super) fn check(
    root: &str,
    warrant: &[u8],
    place: &str,
    cx: &Context<'_>,
    checks: &mut Checks,
) -> Option<Authentic<Module>> {
    let place = place.to_owned();
    let warrant = match Warrant::read(warrant) {
        Ok(warrant) => warrant,
        Err(why) => {
            checks.fail(&ck::WARRANT, place, why);
            return None;
        }
    };
    // Only keys that can sign a warrant count as anchors for it.
    let keys = cx.reference.anchors.keys_for(super::ID).filter_map(TrustedKey::pinned);
    let keys: Vec<TrustedKey> = keys.filter(|k| k.key().algorithm() == "EC-P521").collect();
    let named = root == ROOT && warrant.root == ROOT;
    checks.test(&ck::UNTRUSTED_ROOT, place.clone(), named, "bundle and warrant name KWARN-1", || {
        let short = |name: &str| name.chars().take(40).collect::<String>();
        let (bundle, warrant) = (short(root), short(warrant.root));
        format!("the bundle names {bundle:?} and its warrant {warrant:?}; the only root is {ROOT}").into()
    });
    let configured = !keys.is_empty();
    checks.test(&ck::ANCHOR_UNKNOWN, place.clone(), configured, "a root key is configured", || {
        "no root key of nShield warrants is configured".into()
    });
    if !named || !configured {
        return None;
    }
    match walk(&warrant, &keys) {
        Ok(module) => judge_kind(module, place, cx, checks),
        Err(why) => {
            checks.fail(&ck::WARRANT, place, why);
            None
        }
    }
}

fn walk(warrant: &Warrant<'_>, roots: &[TrustedKey]) -> Result<Authentic<Module>, String> {
    let mut keys = roots.to_vec();
    let mut rest = warrant.certificates.iter();
    while let Some(certificate) = rest.next() {
        let signed = keys.iter().find_map(|key| certificate.signed_by(key));
        let signed = signed.ok_or("a certificate of the warrant is not signed by the key above it")?;
        let last = rest.len() == 0;
        match signed.parse(Payload::read)? {
            payload if last => {
                return payload.parse(|p| match p {
                    Payload::Module(module) => Ok(module),
                    Payload::Delegation(_) => {
                        Err("the warrant ends with a delegation, not with a module".to_owned())
                    }
                });
            }
            payload => {
                let delegate = payload.delegate("Entrust warranting key", |p| match p {
                    Payload::Delegation(key) => Some(key.clone()),
                    // A module must not vouch for modules.
                    Payload::Module(_) => None,
                });
                keys = vec![
                    delegate
                        .ok_or("a certificate below that of a module, which must not vouch for others")?,
                ];
            }
        }
    }
    Err("the warrant has no certificate".to_owned())
}

fn judge_kind(
    module: Authentic<Module>,
    place: String,
    cx: &Context<'_>,
    checks: &mut Checks,
) -> Option<Authentic<Module>> {
    const LATER: &str =
        "the module got its long-term key by a field upgrade, on the word of its former DSA-1024 key";
    let esn = &module.get().esn;
    if !module.get().field_upgrade {
        checks.pass(&ck::WARRANT, place.clone(), format!("warrant of module {esn}, signed under {ROOT}"));
        checks.pass(&ck::FIELD_UPGRADE, place, "the long-term key is from the factory");
    } else if cx.options.is_off("allow_field_upgrade_warrant") {
        checks.fail(&ck::WARRANT, place, format!("{LATER}, which the operator does not accept"));
        return None;
    } else {
        checks.pass(&ck::WARRANT, place.clone(), format!("warrant of module {esn}, signed under {ROOT}"));
        checks.warn(&ck::FIELD_UPGRADE, place, LATER);
    }
    Some(module)
}
