//! The lines of IOS that a router accepts but does not carry out.
//!
//! A configuration of IOS has many lines that have no meaning in a LISP lab. It may also have lines
//! about functions of LISP that this router does not have. The table [`ROWS`] has all these lines.
//! The router searches this table only for a line that fits no command of the [grammar](super). A
//! line fits a row if its first words fit the pattern of the row, without abbreviations. Any words
//! may follow.

use super::context::Mode;

/// The treatment of an accepted line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// The line causes no message. Either it states a setting that every router has, or it is a
    /// title that a `show` command has printed.
    Silent,
    /// The line has no meaning in a LISP lab. A warning names the line.
    Ignored,
    /// The line is about a function of LISP that this router does not have. A warning names the
    /// line, and the running configuration keeps the line as a comment.
    Kept,
}

/// The lines that belong to an accepted line. A line with a deeper indentation always belongs to
/// the accepted line above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Only lines with a deeper indentation belong to the line.
    Line,
    /// The line opens a block, which ends at its `exit`.
    Block {
        /// The prompt of IOS in the block.
        prompt: &'static str,
        /// The mode with the commands of the block, if the grammar has such a mode.
        like: Option<Mode>,
    },
    /// The line opens a text and names its delimiter. `banner motd #` opens a text that ends at
    /// `#`.
    Text,
}

/// A row of the table of accepted lines.
#[derive(Debug)]
pub struct Accepted {
    /// The modes in which the line is accepted.
    pub modes: &'static [Mode],
    /// The first words of the line, in the notation of the grammar. More words may follow.
    pub pattern: &'static str,
    /// The treatment of the line.
    pub treatment: Treatment,
    /// The reason why the router does not carry out the line. The warning ends with this reason.
    pub reason: &'static str,
    /// The following lines that belong to this line.
    pub extent: Extent,
}

const fn row(
    modes: &'static [Mode],
    pattern: &'static str,
    treatment: Treatment,
    extent: Extent,
    reason: &'static str,
) -> Accepted {
    Accepted { modes, pattern, treatment, reason, extent }
}

const fn silent(modes: &'static [Mode], pattern: &'static str) -> Accepted {
    row(modes, pattern, Treatment::Silent, Extent::Line, "every router has this setting")
}

const fn ignored(modes: &'static [Mode], pattern: &'static str, reason: &'static str) -> Accepted {
    row(modes, pattern, Treatment::Ignored, Extent::Line, reason)
}

const fn block(pattern: &'static str, prompt: &'static str, reason: &'static str) -> Accepted {
    row(CONFIG, pattern, Treatment::Ignored, Extent::Block { prompt, like: None }, reason)
}

const fn device(pattern: &'static str, reason: &'static str) -> Accepted {
    let extent = Extent::Block { prompt: "(config-if)", like: Some(Mode::Interface) };
    row(CONFIG, pattern, Treatment::Ignored, extent, reason)
}

const fn kept(modes: &'static [Mode], pattern: &'static str, reason: &'static str) -> Accepted {
    row(modes, pattern, Treatment::Kept, Extent::Line, reason)
}

const fn kept_block(
    modes: &'static [Mode],
    pattern: &'static str,
    like: Option<Mode>,
    reason: &'static str,
) -> Accepted {
    let extent = Extent::Block { prompt: "(config-router-lisp)", like };
    row(modes, pattern, Treatment::Kept, extent, reason)
}

const CONFIG: &[Mode] = &[Mode::Config];
const INTERFACE: &[Mode] = &[Mode::Interface];
const VRFS: &[Mode] = &[Mode::Vrf, Mode::VrfFamily];
const LINE: &[Mode] = &[Mode::Line];
const LISP: &[Mode] = &[Mode::Lisp];
const SITE: &[Mode] = &[Mode::Site];
const DYNAMIC_EID: &[Mode] = &[Mode::DynamicEid];
const LOCATOR_SET: &[Mode] = &[Mode::LocatorSet];
const INSTANCES: &[Mode] = &[Mode::Lisp, Mode::Instance];
/// The modes that have the commands of a service.
const SERVICES: &[Mode] =
    &[Mode::Lisp, Mode::Service, Mode::EidTable, Mode::Instance, Mode::InstanceService];

const TIME: &str = "the router uses the clock of its machine";
const USERS: &str = "the router has no users and passwords";
const LOGS: &str = "the log of the router has its own options";
const MANAGEMENT: &str = "the router has no management protocols";
const ROUTING: &str = "the router has static routes only, so write `ip route`";
const ONE_TABLE: &str = "the router has one routing table, so a VRF is only a name";
const MULTICAST: &str = "the router forwards no multicast packets";
const LAN: &str = "the lab file defines the links and LANs";
const HARDWARE: &str = "a virtual router has no such hardware";
const FILTER: &str = "the router does not filter packets";
const QUALITY: &str = "the router has no quality of service";
const IPSEC: &str = "the router does not encrypt packets";
const SERVICE: &str = "the router has no such service";
const KERNEL: &str = "the kernel forwards the packets of the site";
const TERMINAL: &str = "the console has its own terminal settings";

const NOT_INTERFACE: &str = "the router has no interface of this kind";

const NOT_VXLAN: &str = "the router uses only LISP encapsulation";
const NOT_POLICY: &str = "the router has no security groups";
const NOT_ETHERNET: &str = "the router does not carry Ethernet frames";
const NOT_DDT: &str = "the router has no Delegated Database Tree";
const NOT_ROUTES: &str = "the router does not exchange routes with a routing protocol";
const NOT_EXTRANET: &str = "the router has only one instance";
const NOT_DEFAULT_SET: &str = "each database-mapping names its locators";
const NOT_PROBING: &str = "the router does not probe locators";
const NOT_BY_MASK: &str =
    "only the default route can be ignored in the search for a route to a locator";
const NOT_NOTIFY: &str = "the router sends its map-notify messages to the xTRs of the site record";
const NOT_LIMIT: &str = "the router has a fixed limit for EIDs";
const NOT_ITR_RLOCS: &str =
    "the ITR-RLOCs of a map-request are always the preferred locator of each family";
const NOT_SOURCE: &str = "the source of a LISP packet is the preferred locator of the locator-sets";
const NOT_DISCOVER: &str = "write a line for each locator of the site yourself";
const NOT_STATIC: &str = "the only action of a static map-cache entry is to send a map-request";
const NOT_DONE: &str = "the router does not have this function";

/// The table of accepted lines.
pub const ROWS: &[Accepted] = &[
    // These lines are titles from the output of `show running-config`, or settings that every
    // router has.
    silent(CONFIG, "version"),
    silent(CONFIG, "{Building configuration...|Current configuration|Last configuration|NVRAM}"),
    silent(CONFIG, "{boot-start-marker|boot-end-marker}"),
    silent(CONFIG, "ip {cef|routing|classless|subnet-zero|forward-protocol}"),
    silent(CONFIG, "ipv6 {unicast-routing|cef}"),
    silent(INTERFACE, "ipv6 enable"),
    silent(LISP, "locator-table default"),
    silent(SERVICES, "encapsulation lisp"),
    // The ignored lines about management.
    ignored(CONFIG, "service", SERVICE),
    ignored(CONFIG, "{clock|ntp|sntp|ptp|calendar}", TIME),
    ignored(CONFIG, "{aaa|enable|login|password|privilege|security|username|ip admission}", USERS),
    ignored(
        CONFIG,
        "{logging|event|exception|memory|memory-size|buffers|process|scheduler|file|kron}",
        LOGS,
    ),
    ignored(
        CONFIG,
        "{snmp-server|snmp|netconf|netconf-yang|restconf|rmon|onep|pnp|wsma|cns|smart|\
         gnxi|sflow|lldp|cdp|config-register|configuration|parser|prompt|menu|upgrade|software|\
         transport-map|remote-management|telemetry|xsd-format|performance|diagnostic|tftp-server|\
         sampler|warm-reboot|issu|setup|vstack|package|install|energywise|help|ftp-server|format|\
         flow-sampler-map|cwmp|autonomic|health-monitoring|partition|printer|secure|login-string|\
         busy-message|resume-string|terminal-queue|downward-compatible-config|beep|device-classifier}",
        MANAGEMENT,
    ),
    ignored(CONFIG, "{radius-server|tacacs-server|tacacs|radius|dot1x|mab|access-session}", USERS),
    row(CONFIG, "banner", Treatment::Ignored, Extent::Text, "the console has no banner"),
    ignored(
        CONFIG,
        "ip {domain|domain-lookup|domain-name|domain-list|name-server|host|http|ssh|scp|ftp|tftp|\
         finger|bootp|dhcp|identd|rcmd|telnet|dns|device|admission|source|local|default-gateway|wccp}",
        SERVICE,
    ),
    ignored(CONFIG, "ip {radius|tacacs}", USERS),
    ignored(
        CONFIG,
        "ip {audit|auth-proxy|ddns|drp|casa|ips|kerberos|mobile|port-map|portbundle|rarp-server|\
         rtcp|sap|sdr|security|sockets|ssh-key|subscriber|trigger-authentication|udp|urlfilter|\
         wireless|slb|address-pool|host-list|host-routing|hp-host|alias|admin|eem}",
        SERVICE,
    ),
    ignored(
        CONFIG,
        "{appfw|application|domain|identity|ldap|media-proxy|network-policy|pfr|policy-manager|\
         presence|profile|regexp|scripting|service-chain|service-insertion|service-list|\
         service-routing|sip|sip-ua|slb|ssl-proxy|ssl|state-machine|stun|telephony-service|ephone|\
         ephone-dn|ephone-template|dspfarm|translate|translation-rule|utd|webvpn|vpdn|vpdn-group|\
         vpdn-template|bba-group|ppp|pppoe|l2tp|wlan|multicast|sdwan|coap|metadata|mop|ipx|dlsw|\
         smartpm|http-profile}",
        SERVICE,
    ),
    ignored(CONFIG, "alias", "the console has aliases of exec commands only"),
    // The ignored lines about routing.
    block("router {ospf|ospfv3|bgp|isis|eigrp|rip|odr|omp|mobile}", "(config-router)", ROUTING),
    block("ipv6 router", "(config-rtr)", ROUTING),
    block("route-map", "(config-route-map)", ROUTING),
    block("address-family", "(config-router-af)", ROUTING),
    block("{key chain|key-chain}", "(config-keychain)", ROUTING),
    ignored(
        CONFIG,
        "ip {prefix-list|community-list|extcommunity-list|as-path|ospf|rip|bgp-community|\
         extcommunity|policy-list|policy|rsvp|explicit-path|summary-address|default-network|nhrp}",
        ROUTING,
    ),
    ignored(CONFIG, "ipv6 {prefix-list|ospf|eigrp|rip|local|general-prefix|nhrp|policy}", ROUTING),
    ignored(CONFIG, "ip route static", ROUTING),
    ignored(
        CONFIG,
        "{network|neighbor|redistribute|router-id|passive-interface|bgp|area|default-information|\
         exit-address-family|bfd|mpls|segment-routing|fabric|graceful-restart|global-address-family|route-tag|tag-switching|\
         policy-list|otv|openflow|vxlan|cef|clns|isis|standby|vrrp|fhrp|track|nhrp|bfd-template|nsf}",
        ROUTING,
    ),
    ignored(
        CONFIG,
        "ip {multicast-routing|multicast|pim|igmp|msdp|mroute|mfib|dvmrp|mrm|pgm}",
        MULTICAST,
    ),
    ignored(CONFIG, "ipv6 {multicast-routing|multicast|pim|mld|mroute|mfib}", MULTICAST),
    ignored(CONFIG, "{ip|ipv6} route vrf", ONE_TABLE),
    ignored(
        CONFIG,
        "ip route <destination:ipv4> <mask:mask> [<interface:interface>] dhcp",
        "the router has no DHCP client, so write the address of the gateway",
    ),
    ignored(
        VRFS,
        "{vnid|vnet|vpn|mdt|maximum|import|export|bgp|protection|route-replicate}",
        ONE_TABLE,
    ),
    // The ignored lines about packets.
    ignored(CONFIG, "{access-list|ip inspect|ip reflexive-list|ipv6 inspect}", FILTER),
    block("{ip access-list|ipv6 access-list|mac access-list}", "(config-nacl)", FILTER),
    block("{object-group|time-range|zone|zone-pair}", "(config-object-group)", FILTER),
    block("{class-map|policy-map|class}", "(config-cmap)", QUALITY),
    ignored(
        CONFIG,
        "{qos|map-class|vc-class|mls|priority-list|queue-list|table-map|auto|random-detect}",
        QUALITY,
    ),
    block("crypto {pki|isakmp|ikev2|ipsec|map|keyring|gdoi|ca}", "(config-crypto)", IPSEC),
    ignored(CONFIG, "{crypto|key config-key}", IPSEC),
    ignored(CONFIG, "{ip nat|nat64|ipv6 nat}", "the router does not translate addresses"),
    ignored(
        CONFIG,
        "ip {tcp|icmp|options|source-route|gratuitous-arps|arp|redirects|unreachables|mtu|\
         nbar|performance|traffic-export|spd|sticky-arp|accounting-list|accounting-threshold|\
         accounting-transits|flow|flow-export|flow-cache|flow-top-talkers|accounting|verify|virtual-reassembly|route-cache}",
        KERNEL,
    ),
    ignored(
        CONFIG,
        "ipv6 {nd|neighbor|source-route|icmp|hop-limit|dhcp|flow|redirects|snooping|source-guard|\
         destination-guard|port-map|spd|tcp|mtu|mobile|virtual-reassembly|wccp|unreachables|verify}",
        KERNEL,
    ),
    ignored(CONFIG, "arp", KERNEL),
    block("flow {record|exporter|monitor}", "(config-flow)", MANAGEMENT),
    // The ignored lines about layer 2 and hardware.
    block("{vlan|bridge-domain|l2vpn|evpn|l2|pseudowire-class}", "(config-vlan)", LAN),
    ignored(
        CONFIG,
        "{spanning-tree|vtp|udld|lacp|port-channel|errdisable|mac|mac-address-table|bridge|nve|\
         device-tracking|device-sensor|device|authentication|macro|monitor|rep|link|ethernet|mvr|vmps|\
         vfi|xconnect|connect|l2protocol-tunnel|ethernet-ring|switch-profile|mka|macsec}",
        LAN,
    ),
    block("{template|service-template|parameter-map|ip dhcp pool}", "(config-template)", SERVICE),
    ignored(CONFIG, "{cts|ip sgt|epm|fips|propagate}", NOT_POLICY),
    block(
        "{redundancy|control-plane|archive|virtual-service|app-hosting|call-home|ip sla|gatekeeper|\
         stackwise-virtual}",
        "(config-red)",
        SERVICE,
    ),
    ignored(
        CONFIG,
        "{platform|license|boot|hw-module|switch|stack-power|stack-mac|power|facility-alarm|\
         transceiver|system|subscriber|multilink|mmi|voice-card|voice|voip|isdn|controller|card|\
         hostname-prefix|avb|wireless|ap|iox|module|mta|dial-peer|gateway|dialer-list|frame-relay|\
         x25|atm|crashdump|diagnostics|shell|global|nmsp|location|rtr|mgcp|network-clock-participate|\
         network-clock-select|network-clock|sdm|card-type|cable|alarm-contact|ipc|xdr|hw-switch|\
         chat-script|modemcap|isdn-mib|dial-control-mib|resource|dying-gasp|virtual-profile|\
         virtual-template|process-max-time|asp|async-bootp|rlm|dampening|fax|h323}",
        HARDWARE,
    ),
    // The ignored lines about an interface.
    device("interface <interface:lisp-interface>", "the router has its own device, lisp0"),
    device("interface <interface:virtual-interface>", NOT_INTERFACE),
    device("interface range", "write a block for each of the interfaces"),
    ignored(INTERFACE, "ip address {dhcp|negotiated|pool}", "the router has no DHCP client"),
    ignored(INTERFACE, "ipv6 address {dhcp|autoconfig}", "the router has no DHCP client"),
    ignored(INTERFACE, "ipv6 address <prefix:prefix6> {eui-64|anycast}", "write the whole address"),
    ignored(
        INTERFACE,
        "encapsulation dot1Q",
        "in the lab, each subinterface has its own link, without VLAN tags",
    ),
    ignored(
        INTERFACE,
        "ip {ospf|rip|eigrp|router|hello-interval|hold-time|summary-address|split-horizon|\
         bandwidth-percent|authentication|nhrp|policy|bgp|next-hop-self|advertise|vrf sitemap|mpls}",
        ROUTING,
    ),
    ignored(
        INTERFACE,
        "ipv6 {ospf|rip|eigrp|router|hello-interval|hold-time|summary-address|split-horizon|\
         bandwidth-percent|authentication|nhrp|next-hop-self}",
        ROUTING,
    ),
    ignored(INTERFACE, "{isis|ospfv3|standby|vrrp|glbp|bfd|mpls|clns|eigrp}", ROUTING),
    ignored(
        INTERFACE,
        "ip {pim|igmp|multicast|mroute-cache|mfib|mrm|cgmp|dvmrp|pgm|rgmp|urd}",
        MULTICAST,
    ),
    ignored(INTERFACE, "ipv6 {pim|mld|multicast|mfib}", MULTICAST),
    ignored(
        INTERFACE,
        "ip {mtu|tcp|redirects|unreachables|route-cache|virtual-reassembly|verify|arp|accounting|\
         load-sharing|mask-reply|directed-broadcast|local-proxy-arp|flow|cef|information-reply|\
         dhcp|helper-address|nat|nbar|rsvp|device|sgt|irdp|unnumbered|probe|admission|tcp-mss|wccp|broadcast-address|ddns|ips|mobile|rarp-server|\
         rtp|sap|security|sticky-arp|traffic-export|trigger-authentication|urlfilter|header-compression}",
        KERNEL,
    ),
    ignored(
        INTERFACE,
        "ipv6 {nd|mtu|tcp|redirects|unreachables|verify|dhcp|flow|policy|unnumbered|snooping|\
         destination-guard|source-guard|nat|load-sharing|mobile|rsvp|spd|virtual-reassembly|wccp|\
         general-prefix}",
        KERNEL,
    ),
    ignored(
        INTERFACE,
        "{ip access-group|ip inspect|ipv6 inspect|ipv6 traffic-filter|zone-member|access-group}",
        FILTER,
    ),
    ignored(
        INTERFACE,
        "{service-policy|bandwidth|delay|priority-queue|queue-limit|fair-queue|random-detect|\
         traffic-shape|shape|rate-limit|hold-queue|max-reserved-bandwidth|wrr-queue|custom-queue-list|priority-group|cos|tx-ring-limit|trust|srr-queue|mls|qos|auto}",
        QUALITY,
    ),
    ignored(
        INTERFACE,
        "{switchport|spanning-tree|storm-control|channel-group|channel-protocol|lacp|autostate|\
         device-tracking|macro|vlan-id|vlan-range|bridge-group|xconnect|source|\
         source-interface|member|host-reachability|no-vlan|encapsulation|private-vlan|udld|rep|\
         service|l2protocol-tunnel|mac|ingress-replication|mcast-group|evpn|mvr|mvrp|pagp|dot1q|topology|ethernet}",
        LAN,
    ),
    ignored(
        INTERFACE,
        "{negotiation|duplex|speed|media-type|keepalive|carrier-delay|load-interval|mdix|power|\
         hw-module|clock|plim|platform|dampening|medium|fec|snmp|logging|cdp|lldp|ntp|arp|nmsp|\
         link|line|loopback|full-duplex|half-duplex|crc|compress|pvc|map-group|ipx|lan-name|energywise|\
         synchronous|down-when-looped|threshold|transmit-interface|cable|dlsw|source-bridge|sdlc|x25|\
         llc2|metadata|performance|pfr|identity|utd|service-insertion|media-proxy|vpdn|\
         dialer-group|history|flow|transceiver|beacon|ppp|pppoe|pppoe-client|dialer|peer|backup|tunnel|physical-layer|\
         stackwise-virtual|bundle|mop|serial|flowcontrol|queue-set}",
        HARDWARE,
    ),
    ignored(INTERFACE, "{cts|dot1x|authentication|access-session|mab|subscriber|epm}", NOT_POLICY),
    ignored(INTERFACE, "{crypto map|crypto ipsec|nat64|macsec|mka}", IPSEC),
    // The ignored lines about a terminal line.
    ignored(
        LINE,
        "{access-class|absolute-timeout|activation-character|authorization|autobaud|autocommand|\
         databits|exec|exec-banner|exec-character-bits|exec-timeout|escape-character|flowcontrol|\
         history|ip|ipv6|length|location|logging|login|modem|monitor|motd-banner|notify|parity|\
         password|privilege|refuse-message|rotary|rxspeed|session-limit|session-timeout|speed|\
         accounting|callback|dispatch-character|disconnect-character|domain-lookup|editing|full-help|\
         hangup|international|keymap|lockable|media-type|padding|screen-length|script|\
         start-character|stop-character|special-character-bits|data-character-bits|telnet|timeout|\
         usb-inactivity-timeout|stty|autohangup|insecure|stopbits|terminal-type|transport|txspeed|vacant-message|width|logout-warning|vstacks}",
        TERMINAL,
    ),
    // These lines are about functions of LISP that this router does not have.
    kept(SERVICES, "encapsulation", NOT_VXLAN),
    kept(SERVICES, "{sgt|{ipv4|ipv6} sgt}", NOT_POLICY),
    kept_block(INSTANCES, "service ethernet", Some(Mode::InstanceService), NOT_ETHERNET),
    kept(INSTANCES, "eid-table {vlan|bridge-domain}", NOT_ETHERNET),
    kept(&[Mode::InstanceService], "eid-table {vlan|bridge-domain}", NOT_ETHERNET),
    kept(SERVICES, "database-mapping mac", NOT_ETHERNET),
    kept(SERVICES, "database-mapping limit", NOT_LIMIT),
    kept(SERVICES, "database-mapping <prefix:prefix> auto-discover-rlocs", NOT_DISCOVER),
    kept(
        SERVICES,
        "database-mapping <prefix:prefix> locator-set <set:word> \
         {proxy|default-etr|default-etr-route-map|default-export|route-tag|silent-host-detection|\
         multicast}",
        NOT_DONE,
    ),
    kept(SERVICES, "map-cache <prefix:prefix> {<address:address>|drop|native-forward}", NOT_STATIC),
    kept(SERVICES, "{ddt|{ipv4|ipv6} ddt}", NOT_DDT),
    kept_block(LISP, "{extranet|eid-record-provider|eid-record-subscriber}", None, NOT_EXTRANET),
    kept_block(LISP, "{locator-scope|prefix-list|rtr-set|rtr-locator-set}", None, NOT_DONE),
    kept(SERVICES, "{itr|{ipv4|ipv6} itr} map-resolver prefix-list", NOT_DONE),
    kept(SERVICES, "{map-resolver|{ipv4|ipv6} map-resolver} {map-request|prefix-list}", NOT_DONE),
    kept(SERVICES, "locator default-set", NOT_DEFAULT_SET),
    kept(SERVICES, "{route-import|route-export|distance|import|export}", NOT_ROUTES),
    kept(SERVICES, "{ipv4|ipv6} {route-import|route-export|distance|import|export}", NOT_ROUTES),
    kept(
        SERVICES,
        "map-cache {site-registration|site-registrations|away-eids|publications}",
        NOT_ROUTES,
    ),
    kept(
        SERVICES,
        "{ipv4|ipv6} map-cache {site-registration|site-registrations|away-eids|publications}",
        NOT_ROUTES,
    ),
    kept(SERVICES, "{map-cache-persistent|map-cache persistent}", "the map-cache starts empty"),
    kept(
        SERVICES,
        "{ipv4|ipv6} {map-cache-persistent|map-cache persistent}",
        "the map-cache starts empty",
    ),
    kept(SERVICES, "{map-request|{ipv4|ipv6} map-request} itr-rlocs", NOT_ITR_RLOCS),
    kept(SERVICES, "{source-locator|{ipv4|ipv6} source-locator}", NOT_SOURCE),
    kept(SERVICES, "{alt-vrf|{ipv4|ipv6} alt-vrf}", NOT_ROUTES),
    kept(SERVICES, "locator reachability", NOT_BY_MASK),
    kept(SERVICES, "{ipv4|ipv6} locator reachability", NOT_BY_MASK),
    kept(
        SERVICES,
        "{remote-rloc-probe|rloc-probe|loc-reach-algorithm {rloc-probing|count-tcp}}",
        NOT_PROBING,
    ),
    kept(
        SERVICES,
        "{map-server|{ipv4|ipv6} map-server} {rloc|session|route-import|enable|prefix-list}",
        NOT_DONE,
    ),
    kept(
        SERVICES,
        "{domain-id|multihoming-id|map-register-fallback|allow-locator-default-etr|security|\
         decapsulation|disable-ttl-propagate|locator-down|control-packet|site-id|xtr-id|nat-traversal|\
         locator-table|multicast|broadcast-underlay|arp-nd|flood|proxy|silent-host|timer|\
         delegate-database-tree|timers|type|default-information|map-register|register-notification|use-ms-ack|\
         other-xtr-probe|site-registration|multitopology}",
        NOT_DONE,
    ),
    kept(
        SERVICES,
        "{ipv4|ipv6} {locator-down|decapsulation|disable-ttl-propagate|\
         map-register|nat-traversal|crypto|path-mtu-discovery|locator|redistribute|multicast}",
        NOT_DONE,
    ),
    kept(
        SERVICES,
        "{etr|itr|proxy-itr|proxy-etr|{ipv4|ipv6} {etr|itr}} {crypto|glean-mapping|accept-map-request-mapping|rloc-probing|send-data-probe}",
        NOT_DONE,
    ),
    kept(DYNAMIC_EID, "{map-notify-group|eid-notify}", NOT_NOTIFY),
    kept(
        DYNAMIC_EID,
        "{map-server|registering|register-route-notifications|register-database-mapping|limit}",
        NOT_DONE,
    ),
    kept(DYNAMIC_EID, "database-mapping {mac|limit}", NOT_LIMIT),
    kept(
        SITE,
        "{allow-locator-default-etr|allowed-locator|allowed-locators|allowed-configuration|site-id|\
         site-registration|shutdown}",
        NOT_DONE,
    ),
    kept(
        SITE,
        "{eid-record|eid-prefix} {mac|any-mac|instance-id <instance:0-16777215> {mac|any-mac}}",
        NOT_ETHERNET,
    ),
    kept(LOCATOR_SET, "auto-discover-rlocs", NOT_DISCOVER),
    kept(INTERFACE, "lisp mobility liveness", "the kernel probes the hosts of a dynamic-EID"),
    kept(INTERFACE, "{ip|ipv6} lisp source-locator", NOT_SOURCE),
    kept(CONFIG, "{ip|ipv6} lisp", NOT_DONE),
    kept(CONFIG, "lisp {ddt|instance-id|beta}", NOT_DONE),
    kept(INTERFACE, "lisp {extended-subnet-mode|explicit-locator-path}", NOT_DONE),
];
