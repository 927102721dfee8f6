//! The command line: every subcommand, every option, and their help.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use keyvouch::Time;

/// Decide whether a private key was made in, and stays in, a hardware cryptographic module.
///
/// A device (an HSM, a security key, a cloud HSM) or its maker signs a statement about a key: attestation
/// evidence. keyvouch checks every signature up to a trust anchor, says what the evidence proves and what it does
/// not, compares the key with a certification request, and judges all of it under a policy.
#[derive(Debug, Parser)]
#[command(
    name = "keyvouch",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_long_help = "\
Start here:
  keyvouch verify attestation.pem --request request.csr   judge evidence
  keyvouch formats                                        what evidence is understood
  keyvouch emulate yubikey-piv sample                     make a sample to try things with"
)]
pub(crate) struct Cli {
    /// When to colour the output
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub(crate) color: Color,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// When to colour the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// How to print the answer about evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Answer {
    /// For people
    Text,
    /// For programs
    Json,
    /// A signed attestation result for relying parties (EAR)
    Ear,
    /// A page to print or to keep, for people
    Html,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Verify(Box<Verify>),
    Inspect(Inspect),
    Formats(Formats),
    Anchors(Anchors),
    Policy(Policy),
    Request(Request),
    Emulate(Emulate),
    Record(Record),
    Result(Result_),
    Tpm(Tpm),
    Provider(Provider),
    Witness(Witness),
    Completions(Completions),
    Manpage(Manpage),
}

/// Judge evidence: is the key in hardware, and does that satisfy the policy?
///
/// Give all files that the device or its tool wrote, in any order and encoding; keyvouch finds out what each is.
/// The answer comes first, then the reasons and what to do next.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Exit status:
  0  accepted, with or without findings
  1  refused
  2  the command line is wrong, a file cannot be read, or there is no single thing to judge
  3  cannot decide: something is missing or not known

Examples:
  keyvouch verify attestation.pem intermediate.pem --request request.csr
  keyvouch verify evidence.zip --request request.csr --policy cabf-code-signing --output json
  keyvouch verify folder/ --anchors our-own-root.pem --at 2026-06-01T00:00:00Z

Trust never comes from the evidence: only the built-in anchors (`keyvouch anchors list`) and those that you name \
with --anchors count.")]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) judge: Judge,

    /// How to print the answer
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Answer::Text)]
    pub(crate) output: Answer,

    /// Also print every check and every claim
    #[arg(long, short)]
    pub(crate) verbose: bool,

    #[command(flatten)]
    pub(crate) result: ResultTerms,
}

/// What stands in a signed result.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of --output ear")]
pub(crate) struct ResultTerms {
    /// The private key that signs the result: PKCS#8 or JWK; `keyvouch result key generate` makes one
    #[arg(long, value_name = "FILE", required_if_eq("output", "ear"), value_hint = ValueHint::FilePath)]
    pub(crate) result_key: Option<PathBuf>,

    /// The form of the result
    #[arg(long, value_enum, value_name = "FORM", default_value_t = ResultForm::Jwt)]
    pub(crate) result_format: ResultForm,

    /// The version of the draft
    #[arg(long, value_enum, value_name = "DRAFT", default_value_t = EarProfile::V04)]
    pub(crate) ear_profile: EarProfile,

    /// How long the result may be relied on, counted from the time at which the evidence is judged
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "24h")]
    pub(crate) result_lifetime: Seconds,

    /// The nonce of the relying party, in hexadecimal [default: --nonce, when the evidence answers it]
    #[arg(long, value_name = "HEX", value_parser = nonce)]
    pub(crate) result_nonce: Option<Nonce>,

    /// Who runs this verifier
    #[arg(long, value_name = "NAME", default_value = "keyvouch", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) result_developer: String,

    /// Put the evidence into the result
    #[arg(long)]
    pub(crate) result_evidence: bool,

    /// Put the result into a wrapper (CMW) that says what it is
    #[arg(long, value_enum, value_name = "FORM")]
    pub(crate) result_wrapper: Option<Wrapper>,
}

/// The form of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ResultForm {
    /// JSON Web Token
    Jwt,
    /// CBOR Web Token, in binary
    Cwt,
}

/// The version of EAR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EarProfile {
    /// draft-ietf-rats-ear-03
    #[value(name = "03")]
    V03,
    /// draft-ietf-rats-ear-04
    #[value(name = "04")]
    V04,
}

/// The form of a wrapper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wrapper {
    /// In JSON
    Json,
    /// In CBOR, in binary
    Cbor,
}

/// What to judge, and by what.
#[derive(Debug, Args)]
pub(crate) struct Judge {
    /// Evidence files, or folders of them
    ///
    /// Of a folder every file is taken, but no hidden file and nothing in subfolders. Leave it out when the
    /// attestation is inside the request.
    #[arg(required_unless_present = "request", value_name = "FILE|DIR", value_hint = ValueHint::AnyPath)]
    pub(crate) evidence: Vec<PathBuf>,

    /// What must hold the attested key: a certification request (PKCS#10), certificate or public key
    ///
    /// Without it, a certification request among the evidence is used when there is exactly one.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) request: Option<PathBuf>,

    /// The nonce that you had given out, in hexadecimal
    #[arg(long, value_name = "HEX", value_parser = nonce)]
    pub(crate) nonce: Option<Nonce>,

    /// The policy to judge by: a built-in name, or a policy file. May be repeated: the worst verdict counts
    #[arg(long, value_name = "NAME|FILE", default_value = "hardware-key")]
    pub(crate) policy: Vec<String>,

    /// Turn a knob of the policies; `keyvouch policy list` names them. May be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) policy_option: Vec<Pair>,

    /// The time at which to judge, such as 2026-06-01T00:00:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = at, hide_default_value = true)]
    pub(crate) at: Option<At>,

    #[command(flatten)]
    pub(crate) trust: Trust,

    /// Also trust what the folder itself suggests: anchors, time, options. Only for your own samples!
    ///
    /// A folder written by `keyvouch emulate` has a file keyvouch-submission.toml that suggests trust anchors, a
    /// time and options. They are not used unless you say so, because whoever made the folder would decide what
    /// is believed. Never use this on a folder that you received from somebody.
    #[arg(long)]
    pub(crate) trust_submission: bool,

    /// Set an operator option; `keyvouch formats show ID` names them. May be repeated
    ///
    /// The value is true or false, a number, text, or a list, as the option takes it. A list is written as a JSON
    /// array, or by repeating the option. Where the option takes a file, the value is its name; where it takes an
    /// object, JSON or the name of a file with it.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) option: Vec<Pair>,
}

/// Which anchors to trust.
#[derive(Debug, Args)]
pub(crate) struct Trust {
    /// More trust anchors: PEM or DER certificates, a keyvouch TOML data file, or a folder of these. May be
    /// repeated
    ///
    /// A certificate that signed itself becomes an anchor for every format; any other only helps to build paths.
    #[arg(long, value_name = "FILE|DIR", value_hint = ValueHint::AnyPath)]
    pub(crate) anchors: Vec<PathBuf>,

    /// Do not trust the built-in anchors
    #[arg(long)]
    pub(crate) no_default_anchors: bool,
}

/// Show what files hold, without judging it.
///
/// Decodes evidence for people. Nothing that is shown has been authenticated.
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// Files, or folders of them
    #[arg(required = true, value_name = "FILE|DIR", value_hint = ValueHint::AnyPath)]
    pub(crate) evidence: Vec<PathBuf>,

    /// How to print
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
    pub(crate) output: Format,
}

/// List the evidence formats that are understood, and how far each was proved.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Formats {
    #[command(subcommand)]
    pub(crate) command: Option<FormatsCommand>,

    /// How to print
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
    pub(crate) output: Format,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FormatsCommand {
    /// List the formats
    List {
        /// How to print
        #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
        output: Format,
    },
    /// Show a format: its checks and what to do when they fail, its options, and what it cannot prove
    Show {
        /// Id of the format, as `keyvouch formats` lists it
        #[arg(value_name = "ID")]
        id: String,
        /// How to print
        #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
        output: Format,
    },
}

/// List the trust anchors, or show one.
#[derive(Debug, Args)]
pub(crate) struct Anchors {
    #[command(subcommand)]
    pub(crate) command: AnchorsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AnchorsCommand {
    /// List the anchors
    List {
        /// Only those of one format, by its id
        #[arg(long, value_name = "ID")]
        format: Option<String>,
        #[command(flatten)]
        trust: Trust,
        /// How to print
        #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
        output: Format,
    },
    /// Show an anchor: its key, its certificates, and where they were published
    Show {
        /// Id of the anchor, as `keyvouch anchors list` has it
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        trust: Trust,
        /// How to print
        #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
        output: Format,
    },
}

/// List the policies, show one, or check your own.
#[derive(Debug, Args)]
pub(crate) struct Policy {
    #[command(subcommand)]
    pub(crate) command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// List the built-in policies and their knobs
    List {
        /// How to print
        #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
        output: Format,
    },
    /// Show a policy: what it requires, by which clause, and its source
    Show {
        /// Name of a built-in policy, or a policy file
        #[arg(value_name = "NAME|FILE")]
        policy: String,
        /// Print only the source, to start your own policy from
        #[arg(long, conflicts_with = "output")]
        source: bool,
        /// How to print
        #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
        output: Format,
    },
    /// Check a policy file and explain its errors
    Check {
        /// The policy file
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
}

/// Make a certification request that carries its evidence, so that one file goes to the CA.
///
/// The evidence goes into the attribute id-aa-attestation of draft-ietf-lamps-csr-attestation. The private key stays where
/// it is: `embed` writes what the device is to sign, and `assemble` puts content and signature together.
#[derive(Debug, Args)]
pub(crate) struct Request {
    #[command(subcommand)]
    pub(crate) command: RequestCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RequestCommand {
    Embed(RequestEmbed),
    Assemble(RequestAssemble),
}

/// Write the content of a request, evidence included, for the device to sign.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  keyvouch request embed attestation.pem f9.pem --key old.csr --info request.info
  openssl dgst -sha256 -sign … -out request.sig request.info      or with the tool of the device
  keyvouch request assemble --info request.info --signature request.sig --out request.csr
  keyvouch verify request.csr")]
pub(crate) struct RequestEmbed {
    /// Evidence files that the device or its tool wrote, or folders of them
    #[arg(required = true, value_name = "FILE|DIR", value_hint = ValueHint::AnyPath)]
    pub(crate) evidence: Vec<PathBuf>,

    /// The key: a public key, a certificate of it, or a certification request
    ///
    /// Of a request, subject and attributes are taken over too.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) key: PathBuf,

    /// The subject, such as "CN=Example, O=Example Corporation, C=NL"
    ///
    /// In the order in which it is to stand in the request. A backslash goes before a comma that belongs to a value.
    #[arg(long, value_name = "NAME")]
    pub(crate) subject: Option<String>,

    /// The file to write: DER CertificationRequestInfo
    #[arg(long, value_name = "FILE", default_value = "request.info", value_hint = ValueHint::FilePath)]
    pub(crate) info: PathBuf,
}

/// Put content and signature together: a PKCS#10 request in PEM.
#[derive(Debug, Args)]
pub(crate) struct RequestAssemble {
    /// What `keyvouch request embed` wrote
    #[arg(long, value_name = "FILE", default_value = "request.info", value_hint = ValueHint::FilePath)]
    pub(crate) info: PathBuf,

    /// The signature of the key over that file, as the tool of the device wrote it, or in base64
    ///
    /// How it was made is found out: RSA PKCS#1 v1.5 or PSS, ECDSA (DER, or r and s side by side), Ed25519.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) signature: PathBuf,

    /// The request to write
    #[arg(long, value_name = "FILE", default_value = "request.csr", value_hint = ValueHint::FilePath)]
    pub(crate) out: PathBuf,
}

/// Make sample evidence with an emulated device, to try things with.
///
/// Writes evidence, a certification request and a throw-away trust anchor into a new folder, and prints the command
/// that verifies them. The evidence is as real devices make it, but it is signed by throw-away keys: it is worth
/// nothing.
#[derive(Debug, Args)]
pub(crate) struct Emulate {
    /// Id of the format; --list names them
    #[arg(value_name = "FORMAT", required_unless_present = "list")]
    pub(crate) format: Option<String>,

    /// The folder to write, which must be new or empty
    #[arg(value_name = "DIR", required_unless_present = "list", value_hint = ValueHint::DirPath)]
    pub(crate) dir: Option<PathBuf>,

    /// Which sample, by number or name; --list names them
    #[arg(long, value_name = "NUMBER|NAME", default_value = "1")]
    pub(crate) variant: String,

    /// List the samples of the format, or of every format, and write nothing
    #[arg(long)]
    pub(crate) list: bool,
}

/// Keep what an appraisal rested on and what it said, and check it later.
#[derive(Debug, Args)]
pub(crate) struct Record {
    #[command(subcommand)]
    pub(crate) command: RecordCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RecordCommand {
    Export(Box<RecordExport>),
    Verify(RecordVerify),
}

/// Judge evidence as `keyvouch verify` does, and write a record of it for auditors.
///
/// The record is one ZIP file: evidence, request, options, your own trust data, policies and their settings, and the
/// report. Whoever has it can run the appraisal again.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Exit status:
  0  accepted, with or without findings, and recorded
  1  refused, and recorded
  2  an error: nothing was recorded
  3  cannot decide, and recorded

Example:
  keyvouch record export attestation.pem --request request.csr --policy cabf-code-signing --to order-4711.zip")]
pub(crate) struct RecordExport {
    #[command(flatten)]
    pub(crate) judge: Judge,

    /// The record to write, a new file
    #[arg(long, value_name = "FILE.zip", value_hint = ValueHint::FilePath)]
    pub(crate) to: PathBuf,

    /// Include keyvouch's own trust data, so that a later version with other data can judge as this one does
    #[arg(long)]
    pub(crate) with_trust_data: bool,

    /// Put a file about the report beside it, such as a signed result. May be repeated
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) proof: Vec<PathBuf>,
}

/// Judge a record again, at its own time, and say whether the answer is the same, byte for byte.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Exit status:
  0  the answer is the same (when another version or other trust data gave it, that is said)
  1  the answer is another; the places where it differs are named
  2  this is no record, or it was altered or damaged, or it cannot be judged today")]
pub(crate) struct RecordVerify {
    /// The record, as `keyvouch record export` wrote it
    #[arg(value_name = "FILE.zip", value_hint = ValueHint::FilePath)]
    pub(crate) record: PathBuf,

    /// Judge by the trust data of this keyvouch, also when the record has its own
    #[arg(long)]
    pub(crate) todays_trust_data: bool,

    /// How to print the answer
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
    pub(crate) output: Format,
}

/// Check attestation results, and handle the keys that sign them.
#[derive(Debug, Args)]
#[command(name = "result")]
pub(crate) struct Result_ {
    #[command(subcommand)]
    pub(crate) command: ResultCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ResultCommand {
    Verify(ResultVerify),
    /// Make and publish the keys that sign results
    Key {
        #[command(subcommand)]
        command: ResultKeyCommand,
    },
}

/// Check an attestation result (EAR), as a relying party that was not there when the evidence was judged.
///
/// The result states the opinion of the verifier whose key you give; it proves nothing to somebody who does not trust
/// that verifier.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Exit status:
  0  it can be relied on, with or without a warning
  1  it cannot, or it says that the key must not be relied on
  2  the command line is wrong, or a file cannot be read
  3  it says nothing: status none

Example:
  keyvouch result verify result.jwt --key verifier.jwks --request request.csr --nonce 8f3c21d09a7b4e65")]
pub(crate) struct ResultVerify {
    /// The result: a JWT, a CWT, or a wrapper (CMW) around one
    #[arg(value_name = "TOKEN", value_hint = ValueHint::FilePath)]
    pub(crate) token: PathBuf,

    /// The public key of the verifier: JWK, JWK set, SubjectPublicKeyInfo or certificate
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) key: PathBuf,

    /// The nonce that you had given to the verifier, in hexadecimal
    #[arg(long, value_name = "HEX", value_parser = nonce)]
    pub(crate) nonce: Option<Nonce>,

    /// What must hold the attested key: a certification request (PKCS#10), certificate or public key
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) request: Option<PathBuf>,

    /// The time at which to judge, such as 2026-06-01T00:00:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = at, hide_default_value = true)]
    pub(crate) at: Option<At>,

    /// How long ago it may have been issued, such as 8h
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) max_age: Option<Seconds>,

    /// By how much the clocks may differ
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60s")]
    pub(crate) skew: Seconds,

    /// How to print the answer
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
    pub(crate) output: Format,

    /// Also print every check and everything that the result says
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ResultKeyCommand {
    /// Make a key that signs results, in a new file that only you can read
    Generate {
        /// The file to write
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// What the key signs with
        #[arg(long, value_enum, value_name = "NAME", ignore_case = true, default_value_t = KeyAlgorithm::Es256)]
        algorithm: KeyAlgorithm,
        /// The form of the file
        #[arg(long, value_enum, value_name = "FORM", default_value_t = KeyForm::Pkcs8)]
        form: KeyForm,
    },
    /// Print the public keys as JWK set, for relying parties
    Jwks {
        /// The private keys, PKCS#8 or JWK
        #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
        files: Vec<PathBuf>,
    },
}

/// What a key signs results with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyAlgorithm {
    /// ECDSA on P-256
    #[value(name = "ES256")]
    Es256,
    /// ECDSA on P-384
    #[value(name = "ES384")]
    Es384,
    /// Ed25519
    #[value(name = "EdDSA")]
    EdDsa,
    /// RSA of 3072 bits
    #[value(name = "PS256")]
    Ps256,
}

/// The form of a private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyForm {
    /// PKCS#8 in PEM
    Pkcs8,
    /// JSON Web Key
    Jwk,
}

/// Challenge a TPM, so that its attestation key can be believed.
///
/// A TPM answers a challenge only when it has both the endorsement key that its maker certified and the attestation
/// key that signs its statements. The record of a right answer is what `keyvouch verify` takes as the option activation.
#[derive(Debug, Args)]
pub(crate) struct Tpm {
    #[command(subcommand)]
    pub(crate) command: TpmCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TpmCommand {
    Challenge(TpmChallenge),
    Confirm(TpmConfirm),
}

/// Make a challenge for tpm2_activatecredential.
#[derive(Debug, Args)]
pub(crate) struct TpmChallenge {
    /// The certificate of the endorsement key, as read from the TPM, or its public area (TPM2B_PUBLIC)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) ek: PathBuf,

    /// The public area of the attestation key (TPM2B_PUBLIC), as tpm2_createak -u wrote it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) ak: PathBuf,

    /// The file to write for the subscriber
    #[arg(long, value_name = "FILE", default_value = "credential.blob", value_hint = ValueHint::FilePath)]
    pub(crate) credential: PathBuf,

    /// The file to write for yourself: what the answer is checked with
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) state: PathBuf,

    /// How long the challenge can be answered, and its record is in force
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) hours: u16,
}

/// Check the answer to a challenge. It can be done once: the state is deleted whatever the answer is.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Exit status:
  0  the answer is right
  1  it is wrong, or too late
  2  a file cannot be read or written")]
pub(crate) struct TpmConfirm {
    /// The state that `keyvouch tpm challenge` wrote
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) state: PathBuf,

    /// The answer: the file that tpm2_activatecredential -o wrote
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) answer: PathBuf,

    /// The record to write
    #[arg(long, value_name = "FILE", default_value = "activation.json", value_hint = ValueHint::FilePath)]
    pub(crate) record: PathBuf,
}

/// Ask the provider of a cloud service about a key that it does not attest.
///
/// AWS KMS and vaults of Azure Key Vault sign no statement about their keys. What a CA can have is the provider's answer
/// to a question that it asked itself. That is no attestation, and only policies for it accept it.
#[derive(Debug, Args)]
pub(crate) struct Provider {
    #[command(subcommand)]
    pub(crate) command: ProviderCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProviderCommand {
    Nonce(ProviderNonce),
    AwsKms(AwsKms),
    AzureKeyVault(AzureKeyVault),
}

/// For the CA: make the nonce of an order, for the subscriber's envelope.
#[derive(Debug, Args)]
pub(crate) struct ProviderNonce {
    /// The certification request of the order
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) request: PathBuf,

    /// The name of the CA: an envelope for one CA is of no use to another
    #[arg(long, value_name = "NAME")]
    pub(crate) ca: String,
}

/// AWS KMS.
#[derive(Debug, Args)]
pub(crate) struct AwsKms {
    #[command(subcommand)]
    pub(crate) command: AwsKmsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AwsKmsCommand {
    Prepare(AwsKmsPrepare),
    Check(AwsKmsCheck),
    Fetch(AwsKmsFetch),
}

/// For the subscriber: sign the two requests with which the CA can ask KMS about a key.
///
/// The credentials are those of the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for temporary ones,
/// AWS_SESSION_TOKEN (`aws configure export-credentials --format env` prints them). They stay here; the envelope has
/// signatures that are good for these two requests and about five minutes.
#[derive(Debug, Args)]
pub(crate) struct AwsKmsPrepare {
    /// The key, by its full ARN
    #[arg(long, value_name = "ARN")]
    pub(crate) key: String,

    /// The nonce that the CA gave for this order, in hexadecimal
    #[arg(long, value_name = "HEX", value_parser = nonce)]
    pub(crate) nonce: Nonce,

    /// The file to write
    #[arg(long, value_name = "FILE", default_value = "envelope.json", value_hint = ValueHint::FilePath)]
    pub(crate) output: PathBuf,
}

/// For the CA: check a subscriber's envelope, send it to KMS, and judge the answers.
#[derive(Debug, Args)]
#[command(after_long_help = PROVIDER_STATUS)]
pub(crate) struct AwsKmsCheck {
    /// The envelope
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) envelope: PathBuf,

    /// The nonce that was given out for this order, in hexadecimal
    #[arg(long, value_name = "HEX", value_parser = nonce)]
    pub(crate) nonce: Nonce,

    /// The list of envelopes that were sent, so that none is sent twice; it is made when it is not there
    #[arg(long, value_name = "FILE", default_value = "keyvouch-spent.txt", value_hint = ValueHint::FilePath)]
    pub(crate) spent: PathBuf,

    #[command(flatten)]
    pub(crate) asking: Asking,
}

/// For the CA: ask KMS with credentials of its own, which the subscriber let describe the key.
///
/// The credentials are those of the environment, as for `prepare`. The key policy must allow their principal
/// kms:DescribeKey and kms:GetPublicKey.
#[derive(Debug, Args)]
#[command(after_long_help = PROVIDER_STATUS)]
pub(crate) struct AwsKmsFetch {
    /// The key, by its full ARN
    #[arg(long, value_name = "ARN")]
    pub(crate) key: String,

    #[command(flatten)]
    pub(crate) asking: Asking,
}

/// Azure Key Vault (vaults; a Managed HSM attests its keys).
#[derive(Debug, Args)]
pub(crate) struct AzureKeyVault {
    #[command(subcommand)]
    pub(crate) command: AzureCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AzureCommand {
    Fetch(AzureFetch),
}

/// For the CA: ask a vault about a key, and judge the answer.
///
/// The access token of the CA's own principal is that of the environment variable AZURE_ACCESS_TOKEN (`az account
/// get-access-token --resource https://vault.azure.net --query accessToken --output tsv`). The subscriber grants that
/// principal the role Key Vault Reader on the one key.
#[derive(Debug, Args)]
#[command(after_long_help = PROVIDER_STATUS)]
pub(crate) struct AzureFetch {
    /// The key, by the identifier of its version: https://VAULT.vault.azure.net/keys/NAME/VERSION
    #[arg(long, value_name = "KID")]
    pub(crate) key: String,

    #[command(flatten)]
    pub(crate) asking: Asking,
}

const PROVIDER_STATUS: &str = "\
Exit status:
  0  accepted, with or without findings
  1  refused; or nothing was sent, or the provider did not answer
  2  the command line is wrong, or a file cannot be read or written
  3  cannot decide: something is not known";

/// What is the same whichever provider is asked.
#[derive(Debug, Args)]
pub(crate) struct Asking {
    /// What must hold the key: a certification request (PKCS#10), certificate or public key
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) request: Option<PathBuf>,

    /// The folder to write the record into, which must be new: the answers, how they were got, the report
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) record: PathBuf,

    /// The policy to judge by. May be repeated: the worst verdict counts
    #[arg(long, value_name = "NAME|FILE", default_value = "cabf-code-signing-provider-report")]
    pub(crate) policy: Vec<String>,

    /// Set an operator option; `keyvouch formats show ID` names them. May be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) option: Vec<Pair>,

    /// Ask at this address instead of the provider's: a private endpoint of your own, or a test
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
}

/// Write, sign and judge witness statements, for devices that attest nothing.
///
/// An auditor who saw the key being made in the device says so in a JSON statement and signs it (CMS or JWS). It is never
/// attestation: only a policy for witnessed ceremonies accepts it, and only from auditors whom the CA trusts.
#[derive(Debug, Args)]
pub(crate) struct Witness {
    #[command(subcommand)]
    pub(crate) command: WitnessCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WitnessCommand {
    Template(WitnessTemplate),
    Sign(WitnessSign),
    Verify(Box<WitnessVerify>),
}

/// Print a statement to be filled in.
///
/// Every place in angle brackets must be filled in, and what is true or false must be seen to: left as they are, such
/// places refuse the key.
#[derive(Debug, Args)]
pub(crate) struct WitnessTemplate {
    /// The certification request, certificate or public key; what follows from its key is filled in
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) request: Option<PathBuf>,

    /// The model of the device, as its certification names it, such as "u.trust Anchor"
    #[arg(long, value_name = "MODEL")]
    pub(crate) device: Option<String>,
}

/// Sign a statement, with a key in a file or anywhere else.
///
/// Without --key, the bytes to be signed are written to --to-be-signed for an external signer, and its signature comes back
/// with --signature; statement, certificate, form and --time must be the same both times.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  keyvouch witness sign statement.json --certificate auditor.pem --key auditor.key --out statement.p7m
  keyvouch witness sign statement.json --certificate auditor.pem --form cms-detached --time 2026-05-20T15:00:00Z \
--to-be-signed tbs.bin
  openssl dgst -sha256 -sign auditor.key -out signature.bin tbs.bin    # or a card, or an HSM
  keyvouch witness sign statement.json --certificate auditor.pem --form cms-detached --time 2026-05-20T15:00:00Z \
--signature signature.bin --out statement.p7s")]
pub(crate) struct WitnessSign {
    /// The statement, filled in
    #[arg(value_name = "STATEMENT", value_hint = ValueHint::FilePath)]
    pub(crate) statement: PathBuf,

    /// The certificate of the witness, then those of the authorities above it (PEM or DER). May be repeated
    #[arg(long, required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) certificate: Vec<PathBuf>,

    /// The private key of the witness: PKCS#8, PKCS#1 or SEC 1, PEM or DER, without password
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) key: Option<PathBuf>,

    /// How to sign
    #[arg(long, value_enum, value_name = "FORM", default_value_t = SignatureForm::Cms)]
    pub(crate) form: SignatureForm,

    /// The signing time [default: now]
    #[arg(long, value_name = "TIME", value_parser = at, hide_default_value = true)]
    pub(crate) time: Option<At>,

    /// Write the bytes to be signed into this file, and nothing else
    #[arg(long, value_name = "FILE", requires = "time", conflicts_with_all = ["key", "signature", "out"], value_hint = ValueHint::FilePath)]
    pub(crate) to_be_signed: Option<PathBuf>,

    /// The signature that an external signer made of those bytes
    #[arg(long, value_name = "FILE", requires = "time", conflicts_with = "key", value_hint = ValueHint::FilePath)]
    pub(crate) signature: Option<PathBuf>,

    /// The file to write
    #[arg(long, value_name = "FILE", required_unless_present = "to_be_signed", value_hint = ValueHint::FilePath)]
    pub(crate) out: Option<PathBuf>,
}

/// How a witness signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SignatureForm {
    /// CMS SignedData with the statement in it, PEM
    Cms,
    /// CMS SignedData beside the statement, PEM
    CmsDetached,
    /// JWS, compact
    Jws,
    /// JWS, flattened JSON
    JwsJson,
}

/// Judge a signed statement: keyvouch verify with the policy for witnessed ceremonies.
#[derive(Debug, Args)]
pub(crate) struct WitnessVerify {
    /// The auditors whom you trust as witnesses: their certificates, or those of the authorities that vouch for them
    #[arg(long, required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) auditors: PathBuf,

    /// How many different witnesses must have signed
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) min_witnesses: Option<u8>,

    #[command(flatten)]
    pub(crate) verify: Verify,
}

/// Print the completions of a shell, to be sourced or saved where it looks for them.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

/// Write the manual pages into a folder.
#[derive(Debug, Args)]
pub(crate) struct Manpage {
    /// The folder; it is made when it is not there
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) dir: PathBuf,
}

/// A time to judge at.
#[derive(Debug, Clone, Copy)]
pub(crate) enum At {
    /// What the clock says.
    Now,
    /// This one.
    Time(Time),
}

/// A nonce.
#[derive(Debug, Clone)]
pub(crate) struct Nonce(pub(crate) Vec<u8>);

/// A name and its value.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// A span of time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seconds(pub(crate) i64);

fn duration(text: &str) -> Result<Seconds, String> {
    let (number, unit) = match text.strip_suffix(['s', 'm', 'h', 'd']) {
        Some(number) if text.ends_with('m') => (number, 60),
        Some(number) if text.ends_with('h') => (number, 3_600),
        Some(number) if text.ends_with('d') => (number, 86_400),
        Some(number) => (number, 1),
        None => (text, 1),
    };
    let seconds = number.parse::<u32>().ok().and_then(|n| i64::from(n).checked_mul(unit));
    seconds
        .map(Seconds)
        .ok_or_else(|| "write a number and s, m, h or d, as in 90s, 30m, 24h or 7d".to_owned())
}

fn at(text: &str) -> Result<At, String> {
    match text {
        "now" => Ok(At::Now),
        _ => text
            .parse()
            .map(At::Time)
            .map_err(|_| "write date, time and zone as in 2026-06-01T00:00:00Z, or \"now\"".to_owned()),
    }
}

fn nonce(text: &str) -> Result<Nonce, String> {
    match hex::decode(text) {
        Ok(bytes) if !bytes.is_empty() => Ok(Nonce(bytes)),
        Ok(_) => Err("it is empty; leave --nonce out when no nonce was given out".to_owned()),
        Err(hex::FromHexError::OddLength) => {
            Err("it has an odd number of digits; write two hexadecimal digits for each byte".to_owned())
        }
        Err(_) => Err("write hexadecimal digits only, such as 00ff12".to_owned()),
    }
}

fn pair(text: &str) -> Result<Pair, String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok(Pair { key: key.trim().to_owned(), value: value.to_owned() })
        }
        _ => Err("write it as KEY=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_in_order() {
        Cli::command().debug_assert();
    }

    #[test]
    fn values() {
        assert_eq!(nonce("00fF").unwrap().0, [0, 255]);
        for wrong in ["", "0", "0g", "0x00", "00:11"] {
            assert!(nonce(wrong).is_err(), "{wrong}");
        }
        assert!(matches!(at("now"), Ok(At::Now)));
        assert!(at("2026-06-01").is_err());
        let found = pair("deny_serials=[\"a=b\"]").unwrap();
        assert_eq!((found.key.as_str(), found.value.as_str()), ("deny_serials", "[\"a=b\"]"));
        assert!(pair("=x").is_err() && pair("x").is_err());
    }
}
