//! Certificates of a CloudHSM cluster: one HSM, certified by AWS and by the maker of the card.

use crate::key::{Key, KeyKind, SignAlg};
use crate::marvell::{Hsm, Maker, Mode};
use crate::x509::{self, Authority, Certificate, Text, usage};
use crate::{Error, File, csr, pem};

const ALG: SignAlg = SignAlg::RsaPkcs1Sha256;

/// A cluster that is not yet initialised; everything can be changed before it is signed.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// AWS's root, under a throw-away key.
    pub root: Authority,
    /// The HSM under the maker's root; its partition is the HSM of the cluster.
    pub hsm: Hsm,
    /// AWS's certificate of the same card.
    pub aws_card: Certificate,
    /// The key of the cluster's request.
    pub request_key: std::sync::Arc<Key>,
}

impl Cluster {
    /// A cluster with one HSM.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new() -> Result<Self, Error> {
        let hsm = Maker::new()?.hsm("3.0G1804-EMU000042", Mode::Fips)?;
        let key = Key::shared("aws: CloudHSM root", KeyKind::Rsa2048)?;
        let name = x509::name(&[
            ("C", Text::Printable, "US"),
            ("O", Text::Utf8, "keyvouch emulated"),
            ("OU", Text::Utf8, "CloudHSM"),
            ("CN", Text::Utf8, "AWS CloudHSM Root G1"),
        ])?;
        let mut root = Certificate::new(name, &key, "2017-04-28T08:37:46Z", "2037-04-26T08:37:46Z")?;
        root.extensions =
            vec![x509::key_usage(&[usage::KEY_CERT_SIGN]).critical(), x509::basic_constraints(true, None)];
        let root = Authority::root(root, key, ALG)?;
        let mut aws_card = hsm.card.clone();
        aws_card.issuer = root.certificate.subject.clone();
        Ok(Self { root, aws_card, request_key: hsm.partition_key.clone(), hsm })
    }

    /// The certificates and the request, as files.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn files(&self) -> Result<Vec<File>, Error> {
        let chain = self.hsm.sign()?;
        let aws_card = self.aws_card.sign(&self.root.key, ALG)?;
        let request = csr::plain("cluster-emulated", &self.request_key)?;
        Ok(vec![
            File::new("ClusterCsr.pem", pem::request(&request)),
            File::new("HsmCertificate.pem", pem::certificate(&chain.partition)),
            File::new("AwsHardwareCertificate.pem", pem::certificate(&aws_card)),
            File::new("ManufacturerHardwareCertificate.pem", pem::certificate(&chain.card)),
        ])
    }

    /// The throw-away roots, for the verifier as operator anchors.
    pub fn anchors(&self) -> Vec<File> {
        vec![
            File::new("aws-root.pem", pem::certificate(&self.root.der)),
            File::new("maker-root.pem", pem::certificate(&self.hsm.root.der)),
        ]
    }
}
