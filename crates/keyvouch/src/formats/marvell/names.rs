//! The common names of card and partition certificates: the only place where the certificates say what they are.
//!
//! ```text
//! HSM:5.3G2041-ICM002696, for FIPS mode              a card
//! HSM:5.3G2041-ICM002696:PARTN:1, for FIPS mode      a partition of it
//! ```

use crate::pki::Certificate;

/// The parts of such a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::formats) struct DeviceName<'a> {
    /// Serial number of the card; in partition names of some operators a number of another kind.
    pub(in crate::formats) serial: &'a str,
    /// Number of the partition; none in the name of a card.
    pub(in crate::formats) partition: Option<&'a str>,
    /// The mode word: FIPS or non-FIPS.
    pub(in crate::formats) fips: bool,
}

impl<'a> DeviceName<'a> {
    pub(in crate::formats) fn parse(common_name: &'a str) -> Option<Self> {
        let (device, mode) = common_name.strip_prefix("HSM:")?.split_once(", for ")?;
        let fips = match mode {
            "FIPS mode" => true,
            "non-FIPS mode" => false,
            _ => return None,
        };
        let (serial, partition) = match device.split_once(":PARTN:") {
            Some((serial, partition)) => (serial, Some(partition)),
            None => (device, None),
        };
        let serial_char = |c: u8| c.is_ascii_alphanumeric() || c == b'.' || c == b'-';
        let good = !serial.is_empty()
            && serial.bytes().all(serial_char)
            && partition.is_none_or(|n| !n.is_empty() && n.bytes().all(|c| c.is_ascii_digit()));
        good.then_some(Self { serial, partition, fips })
    }

    /// Of a certificate's subject.
    pub(in crate::formats) fn subject(certificate: &'a Certificate) -> Option<Self> {
        Self::parse(certificate.common_name()?)
    }

    /// Of a certificate's issuer.
    pub(in crate::formats) fn issuer(certificate: &'a Certificate) -> Option<Self> {
        Self::parse(certificate.issuer_common_name()?)
    }

    pub(in crate::formats) fn is_partition(&self) -> bool {
        self.partition.is_some()
    }

    /// Whether a partition's name holds a number that is not the card's serial: 30 upper-case hex digits, as at
    /// Azure and on Google's development cards.
    pub(in crate::formats) fn hides_card_serial(&self) -> bool {
        self.serial.len() == 30 && self.serial.bytes().all(|c| matches!(c, b'0'..=b'9' | b'A'..=b'F'))
    }

    /// The mode word.
    pub(in crate::formats) fn mode(&self) -> &'static str {
        if self.fips { "FIPS" } else { "non-FIPS" }
    }
}

#[cfg(test)]
mod tests {
    use super::DeviceName;

    #[test]
    fn reads_cards_and_partitions() {
        let card = DeviceName::parse("HSM:5.3G2041-ICM002696, for FIPS mode").unwrap();
        assert_eq!(card, DeviceName { serial: "5.3G2041-ICM002696", partition: None, fips: true });
        let name = "HSM:F351E9AF9A7AAD1A82AF8DD90B6B3F:PARTN:12, for non-FIPS mode";
        let partition = DeviceName::parse(name).unwrap();
        assert_eq!((partition.partition, partition.fips), (Some("12"), false));
        assert!(partition.hides_card_serial() && !card.hides_card_serial());
    }

    #[test]
    fn refuses_everything_else() {
        for name in [
            "HSM:, for FIPS mode",
            "HSM:A B, for FIPS mode",
            "HSM:A:PARTN:, for FIPS mode",
            "HSM:A:PARTN:x, for FIPS mode",
            "HSM:A:PARTN:1:PARTN:2, for FIPS mode",
            "HSM:A, for FIPS mode ",
            "HSM:A, for fips mode",
            "HSM:A",
            "xHSM:A, for FIPS mode",
        ] {
            assert_eq!(DeviceName::parse(name), None, "{name}");
        }
    }
}
