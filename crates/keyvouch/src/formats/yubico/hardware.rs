//! Firmware, form factor and model, which leaf and attester give in the same numbers for every applet.

/// Firmware version: major, minor, patch.
pub(in super::super) type Firmware = [u8; 3];

pub(in super::super) fn dotted([major, minor, patch]: Firmware) -> String {
    format!("{major}.{minor}.{patch}")
}

/// What a YubiKey is, as its certificates say.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Hardware {
    pub(in super::super) firmware: Firmware,
    /// The form factor as one byte: shape in the lower four bits, Security Key series 0x40, FIPS series 0x80.
    pub(in super::super) form: Option<u8>,
    /// Whether the attester is marked as one of a FIPS series.
    pub(in super::super) fips: bool,
    /// Whether the attester is marked as one of a CSPN series.
    pub(in super::super) cspn: bool,
}

impl Hardware {
    pub(in super::super) fn fips_series(self) -> bool {
        self.form.is_some_and(|form| form & 0x80 != 0) || self.fips || matches!(self.firmware, [4, 4, _])
    }

    pub(in super::super) fn model(self) -> String {
        let base = match (self.form.map(|form| form & 0x0f), self.firmware) {
            (Some(6 | 7), _) => "YubiKey Bio",
            (_, [4, ..]) => "YubiKey 4",
            (_, [5, ..]) => "YubiKey 5",
            _ => "YubiKey",
        };
        let fips = if self.fips_series() { " FIPS" } else { "" };
        let cspn = if self.cspn { " CSPN" } else { "" };
        format!("{base}{fips}{cspn}")
    }

    /// The shape in words.
    pub(in super::super) fn shape(self) -> Option<&'static str> {
        match self.form? & 0x0f {
            1 => Some("USB-A keychain"),
            2 => Some("USB-A nano"),
            3 => Some("USB-C keychain"),
            4 => Some("USB-C nano"),
            5 => Some("USB-C and Lightning"),
            6 => Some("Bio USB-A"),
            7 => Some("Bio USB-C"),
            _ => None,
        }
    }
}
