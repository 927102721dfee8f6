//! Writers of the two encodings of nShield: nCore marshalling (little-endian words) and D3S.

/// A word, an enumeration or a bitmap.
pub fn word(value: u32) -> Vec<u8> {
    value.to_le_bytes().to_vec()
}

/// A count or length as a word; what is minted here is small.
fn length(count: usize) -> Vec<u8> {
    word(u32::try_from(count).unwrap_or(u32::MAX))
}

/// M_Bignum of a big-endian number: its length is a multiple of a word.
pub fn bignum(big_endian: &[u8]) -> Vec<u8> {
    let significant = big_endian.iter().skip_while(|octet| **octet == 0);
    let mut number: Vec<u8> = significant.copied().collect();
    number.reverse();
    number.resize(number.len().next_multiple_of(4), 0);
    [length(number.len()), number].concat()
}

/// M_ASCIIString: with a zero octet, which its length counts, and padding, which it does not.
pub fn text(text: &str) -> Vec<u8> {
    let mut padded = text.as_bytes().to_vec();
    padded.push(0);
    let counted = length(padded.len());
    padded.resize(padded.len().next_multiple_of(4), 0);
    [counted, padded].concat()
}

/// A count, then the items.
pub fn vector<I: AsRef<[u8]>>(items: &[I]) -> Vec<u8> {
    items.iter().fold(length(items.len()), |mut out, item| {
        out.extend(item.as_ref());
        out
    })
}

/// M_KeyHashEx of a SHA-1 hash.
pub fn key_hash_ex(hash: &[u8]) -> Vec<u8> {
    [word(44), hash.to_vec()].concat()
}

/// A D3S value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum D3s {
    /// 0 to 31.
    Small(u8),
    /// Big-endian.
    Big(Vec<u8>),
    /// A text.
    Text(String),
    /// A symbol.
    Symbol(String),
    /// Octets.
    Bytes(Vec<u8>),
    /// A list.
    List(Vec<D3s>),
    /// A map in the order of writing; keys are symbols.
    Map(Vec<(String, D3s)>),
    /// Octets as they are: an encoding that the writer would not make.
    Raw(Vec<u8>),
}

impl D3s {
    /// A symbol.
    pub fn symbol(name: &str) -> Self {
        Self::Symbol(name.to_owned())
    }

    /// A text.
    pub fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// The member of a map, to change it.
    pub fn member_mut(&mut self, key: &str) -> Option<&mut Self> {
        match self {
            Self::Map(members) => members.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The octets. Texts, symbols, lists and maps longer than the encoding's short forms have no place in warrants.
    pub fn encode(&self) -> Vec<u8> {
        let short = |tag: u8, count: usize| tag | u8::try_from(count).unwrap_or(0x0f) & 0x0f;
        match self {
            Self::Small(number) => vec![*number],
            Self::Big(number) => [vec![0xf4], block(number)].concat(),
            Self::Text(text) => [vec![short(0x20, text.len())], text.clone().into_bytes()].concat(),
            Self::Symbol(name) if name.len() < 16 => {
                [vec![short(0x30, name.len())], name.clone().into_bytes()].concat()
            }
            Self::Symbol(name) => {
                [vec![0xc4, u8::try_from(name.len()).unwrap_or(u8::MAX)], name.clone().into_bytes()].concat()
            }
            Self::Bytes(octets) => block(octets),
            Self::List(items) => {
                let mut out = vec![short(0x90, items.len())];
                items.iter().for_each(|item| out.extend(item.encode()));
                out
            }
            Self::Map(members) => {
                let mut out = vec![short(0xb0, members.len())];
                for (key, value) in members {
                    out.extend(Self::symbol(key).encode());
                    out.extend(value.encode());
                }
                out
            }
            Self::Raw(octets) => octets.clone(),
        }
    }
}

/// A byte block with one or two octets of length.
fn block(octets: &[u8]) -> Vec<u8> {
    let head = match u8::try_from(octets.len()) {
        Ok(length) => vec![0xc5, length],
        Err(_) => {
            let [high, low] = u16::try_from(octets.len()).unwrap_or(u16::MAX).to_be_bytes();
            vec![0xd5, high, low]
        }
    };
    [head, octets.to_vec()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_fill_words() {
        assert_eq!(bignum(&[0, 1, 0, 1]), b"\x04\0\0\0\x01\0\x01\0");
        assert_eq!(bignum(&[]), [0; 4]);
        assert_eq!(text("8938-1075-88BB").len(), 20);
        assert_eq!(text("abc"), b"\x04\0\0\0abc\0");
    }

    #[test]
    fn d3s_has_short_and_long_forms() {
        assert_eq!(D3s::symbol("KWARN-1").encode(), b"\x37KWARN-1");
        assert_eq!(D3s::symbol("WarrantCertificateType").encode()[..2], [0xc4, 22]);
        assert_eq!(D3s::Big(vec![1; 65]).encode()[..3], [0xf4, 0xc5, 65]);
        assert_eq!(D3s::Bytes(vec![0; 300]).encode()[..3], [0xd5, 1, 44]);
        let map = D3s::Map(vec![("a".to_owned(), D3s::List(vec![D3s::Small(2), D3s::text("x")]))]);
        assert_eq!(map.encode(), b"\xb1\x31a\x92\x02\x21x");
    }
}
