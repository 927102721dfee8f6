//! AWS's names: Regions, endpoints of KMS, ARNs of keys. All are read strictly: what is sent to an address that comes
//! from a subscriber must not be able to go anywhere else.

use std::fmt;

/// A Region, such as `eu-west-1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Region(String);

impl Region {
    /// `^[a-z]{2}(-[a-z]+)+-[0-9]+$`
    fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('-').collect();
        let [country, middle @ .., number] = parts.as_slice() else { return None };
        let letters = |part: &&str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_lowercase());
        let good = country.len() == 2
            && letters(country)
            && !middle.is_empty()
            && middle.iter().all(letters)
            && !number.is_empty()
            && number.bytes().all(|c| c.is_ascii_digit())
            && text.len() <= 32;
        good.then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn is_in_china(&self) -> bool {
        self.0.starts_with("cn-")
    }

    /// The partition that it belongs to.
    fn partition(&self) -> &'static str {
        if self.is_in_china() {
            "aws-cn"
        } else if self.0.starts_with("us-gov-") {
            "aws-us-gov"
        } else {
            "aws"
        }
    }
}

/// An endpoint of KMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Made anew from its parts, not taken over.
    pub(crate) host: String,
    pub(crate) region: Region,
}

impl Endpoint {
    /// The endpoint of that bare address, and nothing but it: `https://HOST/`.
    pub(super) fn of_url(url: &str) -> Option<Self> {
        Self::of_host(url.strip_prefix("https://")?.strip_suffix('/')?)
    }

    fn of_host(host: &str) -> Option<Self> {
        let parts: Vec<&str> = host.split('.').collect();
        let (service, region, domain): (&str, &str, &str) = match parts.as_slice() {
            [service @ ("kms" | "kms-fips"), region, "amazonaws", "com"] => {
                (service, region, "amazonaws.com")
            }
            [service @ "kms", region, "amazonaws", "com", "cn"] => (service, region, "amazonaws.com.cn"),
            [service @ "kms", region, "api", "aws"] => (service, region, "api.aws"),
            _ => return None,
        };
        let region = Region::parse(region)?;
        let fits = region.is_in_china() == (domain == "amazonaws.com.cn");
        fits.then(|| Self { host: format!("{service}.{}.{domain}", region.as_str()), region })
    }

    /// The usual endpoint of a Region.
    pub(crate) fn of_region(region: &Region) -> Self {
        let domain = if region.is_in_china() { "amazonaws.com.cn" } else { "amazonaws.com" };
        Self { host: format!("kms.{}.{domain}", region.as_str()), region: region.clone() }
    }
}

/// The ARN of a key: `arn:aws:kms:REGION:ACCOUNT:key/ID`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyArn {
    text: String,
    pub(crate) region: Region,
    pub(crate) account: String,
    pub(crate) id: String,
}

impl KeyArn {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let ["arn", partition, "kms", region, account, resource] = parts.as_slice() else { return None };
        let region = Region::parse(region)?;
        let id = resource.strip_prefix("key/")?;
        let good = *partition == region.partition()
            && account.len() == 12
            && account.bytes().all(|c| c.is_ascii_digit())
            && (is_uuid(id) || is_multi_region_id(id));
        good.then(|| Self {
            text: text.to_owned(),
            region,
            account: (*account).to_owned(),
            id: id.to_owned(),
        })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Ids of multi-Region keys have a form of their own.
    pub(super) fn is_multi_region(&self) -> bool {
        is_multi_region_id(&self.id)
    }
}

impl fmt::Display for KeyArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn is_lower_hex(text: &str) -> bool {
    text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.split('-').all(is_lower_hex)
}

fn is_multi_region_id(text: &str) -> bool {
    text.strip_prefix("mrk-").is_some_and(|hex| hex.len() == 32 && is_lower_hex(hex))
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, KeyArn};

    const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

    #[test]
    fn endpoints_by_their_bare_address() {
        for (url, region) in [
            ("https://kms.eu-west-1.amazonaws.com/", "eu-west-1"),
            ("https://kms-fips.us-gov-west-1.amazonaws.com/", "us-gov-west-1"),
            ("https://kms.cn-north-1.amazonaws.com.cn/", "cn-north-1"),
            ("https://kms.ap-southeast-2.api.aws/", "ap-southeast-2"),
        ] {
            let endpoint = Endpoint::of_url(url).unwrap();
            assert_eq!(
                (endpoint.region.as_str(), format!("https://{}/", endpoint.host)),
                (region, url.into())
            );
        }
        for url in [
            "http://kms.eu-west-1.amazonaws.com/",
            "https://kms.eu-west-1.amazonaws.com",
            "https://kms.eu-west-1.amazonaws.com:443/",
            "https://kms.eu-west-1.amazonaws.com./",
            "https://kms.eu-west-1.amazonaws.com//",
            "https://kms.eu-west-1.amazonaws.com/?x",
            "https://kms.eu-west-1.amazonaws.com/#",
            "https://user@kms.eu-west-1.amazonaws.com/",
            "https://kms.eu-west-1.amazonaws.com@evil.example/",
            "https://kms.eu-west-1.amazonaws.com.evil.example/",
            "https://evil.example/kms.eu-west-1.amazonaws.com/",
            "https://kms.eu-west-1.amazonaws.com\\.evil.example/",
            "https://kms.evil.amazonaws.com/",
            "https://kms.eu-1.amazonaws.com/",
            "https://kms.eu-west-1x.amazonaws.com/",
            "https://kms.cn-north-1.amazonaws.com/",
            "https://kms.eu-west-1.amazonaws.com.cn/",
            "https://KMS.eu-west-1.amazonaws.com/",
            "https://s3.eu-west-1.amazonaws.com/",
            "https://169.254.169.254/",
            "https://kms.eu-west-1.amazonaws.com\n/",
            " https://kms.eu-west-1.amazonaws.com/",
        ] {
            assert_eq!(Endpoint::of_url(url), None, "{url}");
        }
    }

    #[test]
    fn arns_of_keys_and_nothing_else() {
        let arn = KeyArn::parse(&format!("arn:aws:kms:eu-west-1:111122223333:key/{ID}")).unwrap();
        assert_eq!((arn.account.as_str(), arn.id.as_str()), ("111122223333", ID));
        assert!(!arn.is_multi_region());
        let mrk = "arn:aws-cn:kms:cn-north-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab";
        assert!(KeyArn::parse(mrk).unwrap().is_multi_region());
        for text in [
            ID.to_owned(),
            "alias/x".to_owned(),
            format!("arn:aws:kms:eu-west-1:111122223333:alias/{ID}"),
            format!("arn:aws:kms:eu-west-1:11112222333:key/{ID}"),
            format!("arn:aws-cn:kms:eu-west-1:111122223333:key/{ID}"),
            format!("arn:aws:s3:eu-west-1:111122223333:key/{ID}"),
            format!("arn:aws:kms:eu-west-1:111122223333:key/{ID}x"),
            format!("arn:aws:kms:eu-west-1:111122223333:key/{}", ID.to_uppercase()),
            format!("arn:aws:kms:eu-west-1:111122223333:key/{ID}:x"),
        ] {
            assert_eq!(KeyArn::parse(&text), None, "{text}");
        }
    }
}
