//! What cloud-init runs inside the instance: a report of what it has become.

use serde_json::json;

/// Begins each line of the report.
pub(super) const PREFIX: &str = "TINTYPE-REPORT";

/// Ends each line: one that the kernel's messages have cut in two lacks it.
pub(super) const SUFFIX: &str = "-.";

/// Portable shell. The report is written three times, since other lines may fall into it; it
/// numbers its lines so that the reader knows a whole one. A key that only may run a command (as
/// cloud-init gives root's when root must not log in) is no login.
const SCRIPT: &str = r#"
facts() {
    for card in /sys/class/net/*; do
        [ "${card##*/}" = lo ] || echo "card ${card##*/}"
    done
    ip -o -4 addr show scope global | while read -r _ card _ address _; do
        echo "address $card=$address"
    done
    echo "hostname $(cat /proc/sys/kernel/hostname)"
    echo "machine_id $(cat /etc/machine-id)"
    now=$(date +%s); up=$(cut -d. -f1 /proc/uptime)
    echo "machine_id_after_boot $(( $(stat -c %Y /etc/machine-id) - now + up ))"
    root=$(readlink -f "$(findmnt -nvo SOURCE /)"); root=${root##*/}
    echo "root_bytes $(df -B1 --output=size / | tail -n 1)"
    echo "root_device_sectors $(cat "/sys/class/block/$root/size")"
    disk=
    for block in /sys/block/*; do
        [ "$(cat "$block/serial" 2>/dev/null)" = @SERIAL@ ] && disk=$block
    done
    end=0
    for part in "$disk"/*/partition; do
        part=${part%/partition}
        [ -e "$part/start" ] || continue
        last=$(( $(cat "$part/start") + $(cat "$part/size") ))
        [ "$last" -gt "$end" ] && end=$last
    done
    [ "$end" = 0 ] || echo "unused_sectors $(( $(cat "$disk/size") - end ))"
    for keys in /root/.ssh/authorized_keys /home/*/.ssh/authorized_keys; do
        grep -F "@KEY@" "$keys" 2>/dev/null | grep -qv command= || continue
        home=${keys%/.ssh/*}; echo "login ${home##*/}"
    done
}
facts >/run/tintype-facts
count=$(wc -l </run/tintype-facts)
for time in 1 2 3; do
    {
        echo; echo "@PREFIX@ begin @SUFFIX@"
        while read -r line; do echo "@PREFIX@ $line @SUFFIX@"; done </run/tintype-facts
        echo "@PREFIX@ end $count @SUFFIX@"
    } >/dev/ttyS0
    sleep 1
done
"#;

/// User data that makes the instance report; `key` is the public key's base64 part.
pub(super) fn user_data(key: &str, disk_serial: &str) -> String {
    let script = SCRIPT
        .replace("@KEY@", key)
        .replace("@SERIAL@", disk_serial)
        .replace("@PREFIX@", PREFIX)
        .replace("@SUFFIX@", SUFFIX);
    // JSON is YAML.
    format!("#cloud-config\n{}\n", json!({ "runcmd": [["sh", "-c", script]] }))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn the_script_is_shell() {
        let checked = Command::new("sh").args(["-n", "-c", SCRIPT]).status().unwrap();
        assert!(checked.success());
    }

    #[test]
    fn nothing_is_left_to_fill_in() {
        let data = user_data("AAAAC3", "guest");
        assert!(data.starts_with("#cloud-config\n{"));
        assert!(!data.contains('@'), "{data}");
    }
}
