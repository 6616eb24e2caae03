//! A long paste, for the test and for the benchmark of the console.

/// A configuration with a bit of all: about `lines` lines, with refused, ignored and kept blocks.
pub fn long(lines: usize) -> String {
    let mut text = String::from("router lisp\n locator-set s\n  10.0.0.1\n  exit-locator-set\n!\n");
    let mut number = 0;
    while text.lines().count() < lines {
        let (high, low) = (number / 250, number % 250 + 1);
        text += &format!(
            "interface GigabitEthernet0/0/{number}\n description port {number}\n \
             ip address 10.{high}.{low}.1 255.255.255.0\n ip ospf 1 area 0\n negotiation auto\n!\n\
             interface Strange{number}\n ip address 11.{high}.{low}.1 255.255.255.0\n \
             tunnel source GigabitEthernet0/0/{number}\n exit\n!\n\
             router lisp\n eid-table default instance-id 0\n  \
             database-mapping 172.{high}.{low}.0/24 locator-set s\n  sgt\n  exit-eid-table\n \
             site S{number}\n  authentication-key k{number}\n  \
             eid-record 172.{high}.{low}.0/24 accept-more-specifics\n  exit-site\n \
             exit-router-lisp\n!\n\
             ip route 192.{high}.{low}.0 255.255.255.0 10.0.0.2\n"
        );
        number += 1;
    }
    text
}
