//! `user_storage_quota`: how many bytes the images of one project may take.

use config::Config;

/// Glance's units are powers of 1024, whatever they are called.
const UNITS: &[(&str, u32)] = &[("TB", 40), ("GB", 30), ("MB", 20), ("KB", 10), ("B", 0)];

/// Bytes of a project at most; `None` for no limit, which zero says too. Errors: a value that is no
/// number of B, KB, MB, GB or TB.
pub(super) fn quota(config: &Config) -> config::Result<Option<u64>> {
    let options = config.default_section();
    let Some(text) = options.get::<String>("user_storage_quota")? else { return Ok(None) };
    let bytes = bytes(&text);
    let expected = "expected a number of bytes, or one followed by B, KB, MB, GB or TB";
    let bytes = bytes.ok_or_else(|| options.wrong("user_storage_quota", expected))?;
    Ok((bytes > 0).then_some(bytes))
}

fn bytes(text: &str) -> Option<u64> {
    let unit = UNITS.iter().find_map(|(unit, power)| Some((text.strip_suffix(unit)?, *power)));
    let (number, power) = unit.unwrap_or((text, 0));
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    number.parse::<u64>().ok()?.checked_mul(1 << power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_glances_units() {
        let cases = [
            ("0", Some(0)),
            ("17", Some(17)),
            ("17B", Some(17)),
            ("2KB", Some(2048)),
            ("10GB", Some(10 << 30)),
            ("1TB", Some(1 << 40)),
            ("99999999TB", None),
            ("10 GB", None),
            ("10gb", None),
            ("10G", None),
            ("GB", None),
            ("+1", None),
            ("-1", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }
}
