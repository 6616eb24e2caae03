/* The two programs of the fast path, for the kernel's traffic control (clsact).
 *
 * `encapsulate` runs for packets that leave through lisp0. `decapsulate` runs for packets that arrive on a port.
 * Each program looks for the packet's flow in a map. On a hit it encapsulates or decapsulates the packet, as the
 * router does. On a miss it does not change the packet, and returns TC_ACT_UNSPEC. Then the packet goes on to the
 * other programs of this hook and to the router. The router alone decides: a verdict in a map is the router's
 * verdict on an earlier packet of the flow. A verdict is valid while `state.epoch` is the epoch in the verdict.
 *
 * Order in a flow: each word of `outbound_words` and `inbound_words` counts the packets that went up to the
 * router. The router also counts the packets that it has read. It installs a flow, with a compare-exchange of the
 * word, only if both counts are equal. So no packet overtakes an earlier packet that is still on its way up.
 *
 * src/driver/fast_path/shared.rs has the same structures in Rust.
 */

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define FLOWS 4096
#define PLACES 16384
#define DATA_PORT 4341
#define LISP_LEN 8
#define ECN_MASK 3
#define ECN_CE 3
#define ECN_ECT_1 1
/* The kernel supports these flags since Linux 6.3. The headers of Debian 12 are older. */
#define DECAP_L3_IPV4 (1ULL << 7)
#define DECAP_L3_IPV6 (1ULL << 8)
#define PACKET_OTHERHOST 3
#define AF_INET 2
#define AF_INET6 10
#define IPV4 4
#define IPV6 6

/* A word has three parts. One bit is set while the kernel forwards the flow. 31 bits contain a part of the
 * flow's hash. 32 bits count the packets that went up to the router. */
#define INSTALLED (1ULL << 63)
#define COUNT_MASK 0xffffffffULL
#define TAG_OF(hash) ((__u64)((hash) & 0x7fffffff) << 32)

/* Addresses are in network order. An IPv4 address is in the first 4 octets, and the other octets are zero. */
struct flow {
    __u8 source[16];
    __u8 destination[16];
    __u32 hash;
    __u32 family;
};

struct outbound_verdict {
    __u64 epoch;
    __u8 outer_source[16];
    __u8 outer_destination[16];
    __u8 lisp_header[LISP_LEN];
    /* The largest packet that the port and the path permit, in octets without the outer headers. */
    __u32 largest;
    /* The index of the port to the core. `next_hop` is the address of the next hop on this port. */
    __u32 port;
    __u8 next_hop[16];
    /* The index of the flow in `outbound_uses`. */
    __u32 number;
    /* The outer source port, in network order. */
    __u16 source_port;
    __u8 outer_version;
    __u8 next_hop_version;
};

struct inbound_key {
    struct flow flow;
    __u8 outer_source[16];
    __u8 outer_destination[16];
    __u8 lisp_header[LISP_LEN];
    __u32 outer_version;
    __u32 zero;
};

struct inbound_verdict {
    __u64 epoch;
    /* The index of the flow in `inbound_uses`. */
    __u32 number;
    __u32 zero;
};

/* The number of packets and octets of a flow that the programs have forwarded. These numbers never decrease. */
struct use {
    __u64 packets;
    __u64 octets;
    /* The time of the last packet on the monotonic clock, in nanoseconds. */
    __u64 last;
};

struct state {
    __u64 epoch;
    /* A time on the monotonic clock, in nanoseconds. The programs forward no packet after this time, because
     * the router may have been killed. */
    __u64 until;
    __u32 lisp0;
    __u32 zero;
};

/* The reasons why a packet goes up to the router. */
enum miss {
    NO_FLOW,
    OLD_EPOCH,
    NOT_YET,
    NOT_ALIVE,
    ODD_HEADER,
    TOO_BIG,
    TTL,
    ECN,
    CHECKSUM,
    DATAGRAMS,
    REFUSED,
    MISSES,
};

enum hit { OUT_HIT = MISSES, IN_HIT, COUNTERS };

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct state);
} state SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, FLOWS);
    __type(key, struct flow);
    __type(value, struct outbound_verdict);
} outbound SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, FLOWS);
    __type(key, struct inbound_key);
    __type(value, struct inbound_verdict);
} inbound SEC(".maps");

#define SHARED_ARRAY(name, kind, entries)                                                              \
    struct {                                                                                           \
        __uint(type, BPF_MAP_TYPE_ARRAY);                                                              \
        __uint(map_flags, BPF_F_MMAPABLE);                                                             \
        __uint(max_entries, entries);                                                                  \
        __type(key, __u32);                                                                            \
        __type(value, kind);                                                                           \
    } name SEC(".maps")

SHARED_ARRAY(outbound_words, __u64, PLACES);
SHARED_ARRAY(inbound_words, __u64, PLACES);
SHARED_ARRAY(outbound_uses, struct use, FLOWS);
SHARED_ARRAY(inbound_uses, struct use, FLOWS);
SHARED_ARRAY(counters, __u64, COUNTERS);

/* The data that the programs read from an IP packet. */
struct packet {
    struct flow flow;
    /* The length of the IP header and the transport header together, in octets. */
    __u32 headers;
    /* The length of the packet according to its header. */
    __u32 total_len;
    __u8 protocol;
    __u8 ttl;
    __u8 tos;
    /* Not zero if packets of this kind always go up. Such a packet is counted too, because it is part of a flow. */
    __u8 is_odd;
};

static __always_inline void count(__u32 which)
{
    __u64 *counter = bpf_map_lookup_elem(&counters, &which);
    if (counter)
        __sync_fetch_and_add(counter, 1);
}

/* Adds a word to the hash of a flow. The result is the same as the result of `src/packet.rs`. */
static __always_inline __u64 add(__u64 hash, __u64 word)
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
    return hash ^ hash >> 32;
}

static __always_inline void *at(struct __sk_buff *skb, __u32 offset, __u32 len)
{
    void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
    return data + offset + len > end ? 0 : data + offset;
}

/* Reads the transport header. Only TCP, UDP and ICMP echo messages are forwarded. All other packets are odd. */
static __always_inline void read_transport(struct __sk_buff *skb, __u32 offset, __u64 hash, struct packet *packet)
{
    if (packet->protocol == IPPROTO_TCP || packet->protocol == IPPROTO_UDP) {
        __be16 *ports = packet->total_len >= packet->headers + 4 ? at(skb, offset, 4) : 0;
        if (ports)
            hash = add(hash, (__u64)bpf_ntohs(ports[0]) << 16 | bpf_ntohs(ports[1]));
    }
    packet->flow.hash = hash >> 32;
    if (packet->protocol == IPPROTO_TCP) {
        struct tcphdr *tcp = at(skb, offset, sizeof *tcp);
        packet->is_odd |= !tcp;
        packet->headers += tcp ? tcp->doff * 4 : 0;
    } else if (packet->protocol == IPPROTO_UDP) {
        packet->is_odd |= !at(skb, offset, sizeof(struct udphdr));
        packet->headers += sizeof(struct udphdr);
    } else {
        __u8 *type = at(skb, offset, 8);
        if (packet->protocol == IPPROTO_ICMP)
            packet->is_odd |= !type || (*type != 0 && *type != 8);
        else
            packet->is_odd |= packet->protocol != IPPROTO_ICMPV6 || !type || (*type != 128 && *type != 129);
        packet->headers += 8;
    }
}

/* Reads an IP packet that begins at `offset`. Returns -1 if the IP header is incomplete or invalid. Fragments are
 * odd, and packets that have IP options or extension headers are odd too. */
static __always_inline int read_packet(struct __sk_buff *skb, __u32 offset, struct packet *packet)
{
    __u8 *first = at(skb, offset, 1);
    if (!first)
        return -1;
    if (*first >> 4 == 4) {
        struct iphdr *ip = at(skb, offset, sizeof *ip);
        if (!ip || ip->ihl < 5)
            return -1;
        packet->headers = ip->ihl * 4;
        packet->is_odd = ip->ihl != 5;
        __builtin_memcpy(packet->flow.source, &ip->saddr, 4);
        __builtin_memcpy(packet->flow.destination, &ip->daddr, 4);
        packet->flow.family = IPV4;
        packet->total_len = bpf_ntohs(ip->tot_len);
        packet->protocol = ip->protocol;
        packet->ttl = ip->ttl;
        packet->tos = ip->tos;
        __u64 hash = add(ip->protocol, (__u64)bpf_ntohl(ip->saddr) << 32 | bpf_ntohl(ip->daddr));
        if (ip->frag_off & bpf_htons(0x3fff)) {
            packet->is_odd = 1;
            packet->flow.hash = hash >> 32;
            return 0;
        }
        read_transport(skb, offset + packet->headers, hash, packet);
        return 0;
    }
    if (*first >> 4 == 6) {
        struct ipv6hdr *ip = at(skb, offset, sizeof *ip);
        if (!ip)
            return -1;
        __u64 words[4];
        __builtin_memcpy(words, &ip->saddr, sizeof words);
        __builtin_memcpy(packet->flow.source, &ip->saddr, 16);
        __builtin_memcpy(packet->flow.destination, &ip->daddr, 16);
        packet->flow.family = IPV6;
        packet->headers = sizeof *ip;
        packet->total_len = sizeof *ip + bpf_ntohs(ip->payload_len);
        packet->protocol = ip->nexthdr;
        packet->ttl = ip->hop_limit;
        packet->tos = ip->priority << 4 | ip->flow_lbl[0] >> 4;
        __u64 hash = ip->nexthdr;
        for (int i = 0; i < 4; i++)
            hash = add(hash, bpf_be64_to_cpu(words[i]));
        read_transport(skb, offset + sizeof *ip, hash, packet);
        return 0;
    }
    return -1;
}

/* Counts packets that go up together, in the word of their flow. If the kernel forwards the flow, it stops
 * forwarding the flow until the router has forwarded these packets and installs the flow again. */
static __noinline int go_up(void *words, __u32 hash, __u32 packets, enum miss miss)
{
    __u32 place = (hash >> 4) % PLACES;
    __u64 *word = bpf_map_lookup_elem(words, &place);
    count(miss);
    if (!word)
        return TC_ACT_UNSPEC;
    for (int tries = 0; tries < 8; tries++) {
        __u64 old = *(volatile __u64 *)word;
        __u64 flags = old & ~COUNT_MASK;
        if (flags == (INSTALLED | TAG_OF(hash)))
            flags = 0;
        if (__sync_val_compare_and_swap(word, old, flags | ((old + packets) & COUNT_MASK)) == old)
            break;
    }
    return TC_ACT_UNSPEC;
}


static __always_inline int is_installed(void *words, __u32 hash)
{
    __u32 place = (hash >> 4) % PLACES;
    __u64 *word = bpf_map_lookup_elem(words, &place);
    return word && (*(volatile __u64 *)word & ~COUNT_MASK) == (INSTALLED | TAG_OF(hash));
}

/* Returns the reason why a verdict of this epoch is not valid now. Returns MISSES if the verdict is valid. */
static __always_inline enum miss invalidity(struct state *now, __u64 epoch)
{
    if (!now || epoch != *(volatile __u64 *)&now->epoch)
        return OLD_EPOCH;
    return bpf_ktime_get_ns() < *(volatile __u64 *)&now->until ? MISSES : NOT_ALIVE;
}

static __always_inline void note_use(void *uses, __u32 index, struct __sk_buff *skb, struct packet *packet)
{
    struct use *use = bpf_map_lookup_elem(uses, &index);
    if (!use)
        return;
    __u32 packets = 1;
    if (skb->gso_size && packet->total_len > packet->headers)
        packets = (packet->total_len - packet->headers + skb->gso_size - 1) / skb->gso_size;
    __sync_fetch_and_add(&use->packets, packets);
    __sync_fetch_and_add(&use->octets, packet->total_len + (packets - 1) * packet->headers);
    use->last = bpf_ktime_get_ns();
}

static __always_inline __u16 fold(__u64 sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return ~sum;
}

/* The headers between the outer and the inner IP header. */
struct lisp {
    struct udphdr udp;
    __u8 header[LISP_LEN];
} __attribute__((packed));

/* The LISP header is declared as the inner link-layer header, so that the kernel can segment a super-packet. */
#define ROOM                                                                                           \
    (BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_NO_CSUM_RESET | BPF_F_ADJ_ROOM_ENCAP_L4_UDP |           \
     BPF_F_ADJ_ROOM_ENCAP_L2(LISP_LEN))

static __always_inline void fill_lisp(struct lisp *lisp, struct outbound_verdict *verdict, struct packet *packet)
{
    lisp->udp.source = verdict->source_port;
    lisp->udp.dest = bpf_htons(DATA_PORT);
    lisp->udp.len = bpf_htons(sizeof *lisp + packet->total_len);
    __builtin_memcpy(lisp->header, verdict->lisp_header, LISP_LEN);
}

static __always_inline int wrap_v4(struct __sk_buff *skb, struct outbound_verdict *verdict,
                                   struct packet *packet)
{
    struct {
        struct iphdr ip;
        struct lisp lisp;
    } __attribute__((packed)) outer = {};
    if (bpf_skb_adjust_room(skb, sizeof outer, BPF_ADJ_ROOM_MAC, ROOM | BPF_F_ADJ_ROOM_ENCAP_L3_IPV4))
        return -1;
    outer.ip.version = 4;
    outer.ip.ihl = 5;
    outer.ip.tos = packet->tos;
    outer.ip.tot_len = bpf_htons(sizeof outer + packet->total_len);
    outer.ip.frag_off = bpf_htons(0x4000);
    outer.ip.ttl = packet->ttl;
    outer.ip.protocol = IPPROTO_UDP;
    __builtin_memcpy(&outer.ip.saddr, verdict->outer_source, 4);
    __builtin_memcpy(&outer.ip.daddr, verdict->outer_destination, 4);
    outer.ip.check = fold(bpf_csum_diff(0, 0, (__be32 *)&outer.ip, sizeof outer.ip, 0));
    fill_lisp(&outer.lisp, verdict, packet);
    return bpf_skb_store_bytes(skb, 0, &outer, sizeof outer, 0) ? -2 : 0;
}

static __always_inline int wrap_v6(struct __sk_buff *skb, struct outbound_verdict *verdict,
                                   struct packet *packet)
{
    struct {
        struct ipv6hdr ip;
        struct lisp lisp;
    } __attribute__((packed)) outer = {};
    if (bpf_skb_adjust_room(skb, sizeof outer, BPF_ADJ_ROOM_MAC, ROOM | BPF_F_ADJ_ROOM_ENCAP_L3_IPV6))
        return -1;
    outer.ip.version = 6;
    outer.ip.priority = packet->tos >> 4;
    outer.ip.flow_lbl[0] = packet->tos << 4;
    outer.ip.payload_len = bpf_htons(sizeof outer - sizeof outer.ip + packet->total_len);
    outer.ip.nexthdr = IPPROTO_UDP;
    outer.ip.hop_limit = packet->ttl;
    __builtin_memcpy(&outer.ip.saddr, verdict->outer_source, 16);
    __builtin_memcpy(&outer.ip.daddr, verdict->outer_destination, 16);
    fill_lisp(&outer.lisp, verdict, packet);
    return bpf_skb_store_bytes(skb, 0, &outer, sizeof outer, 0) ? -2 : 0;
}

SEC("classifier")
int encapsulate(struct __sk_buff *skb)
{
    struct packet packet = {};
    __u32 zero = 0;
    /* The longest headers that the program reads are an IPv4 header with options and a TCP header: 80 octets. */
    if (skb->data_end - skb->data < 80)
        bpf_skb_pull_data(skb, skb->len < 80 ? skb->len : 80);
    if (read_packet(skb, 0, &packet))
        return TC_ACT_UNSPEC;
    __u32 hash = packet.flow.hash;
    if (packet.is_odd)
        return go_up(&outbound_words, hash, 1, ODD_HEADER);
    struct outbound_verdict *verdict = bpf_map_lookup_elem(&outbound, &packet.flow);
    if (!verdict)
        return go_up(&outbound_words, hash, 1, NO_FLOW);
    struct state *now = bpf_map_lookup_elem(&state, &zero);
    enum miss miss = invalidity(now, verdict->epoch);
    if (!now || miss != MISSES)
        return go_up(&outbound_words, hash, 1, miss);
    if (!is_installed(&outbound_words, hash))
        return go_up(&outbound_words, hash, 1, NOT_YET);
    if (packet.ttl < 2)
        return go_up(&outbound_words, hash, 1, TTL);
    if (packet.total_len != skb->len)
        return go_up(&outbound_words, hash, 1, ODD_HEADER);
    /* Only the segment size of a super-packet says where its datagrams end, and a receiver in user space does
     * not get the segment size. A super-packet of TCP has no datagrams, so it needs no such boundaries. */
    if (skb->gso_size && packet.protocol != IPPROTO_TCP)
        return go_up(&outbound_words, hash, 1, DATAGRAMS);
    __u32 largest = skb->gso_size ? packet.headers + skb->gso_size : packet.total_len;
    __u32 outer_len = verdict->outer_version == IPV4 ? 20 + 16 : 40 + 16;
    if (largest > verdict->largest || packet.total_len + outer_len > 0xffff)
        return go_up(&outbound_words, hash, 1, TOO_BIG);

    struct bpf_redir_neigh next_hop = {.nh_family = verdict->next_hop_version == IPV4 ? AF_INET : AF_INET6};
    __builtin_memcpy(next_hop.ipv6_nh, verdict->next_hop, sizeof next_hop.ipv6_nh);
    int wrapped = verdict->outer_version == IPV4 ? wrap_v4(skb, verdict, &packet)
                                                : wrap_v6(skb, verdict, &packet);
    if (wrapped == -1)
        return go_up(&outbound_words, hash, 1, REFUSED);
    /* bpf_redirect_neigh needs a frame with an Ethernet header. */
    if (wrapped || bpf_skb_change_head(skb, sizeof(struct ethhdr), 0))
        return TC_ACT_SHOT;
    __be16 protocol = verdict->outer_version == IPV4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
    struct ethhdr frame = {.h_proto = protocol};
    if (bpf_skb_store_bytes(skb, 0, &frame, sizeof frame, 0))
        return TC_ACT_SHOT;
    note_use(&outbound_uses, verdict->number, skb, &packet);
    count(OUT_HIT);
    return bpf_redirect_neigh(verdict->port, &next_hop, sizeof next_hop, 0);
}

/* Returns the type of service of the inner packet after decapsulation, by figure 4 of RFC 6040. Returns -1 if
 * the packet must be dropped. */
static __always_inline int decapsulated_tos(__u8 inner, __u8 outer)
{
    __u8 ecn = inner & ECN_MASK;
    if ((outer & ECN_MASK) == ECN_CE) {
        if (!ecn)
            return -1;
        ecn = ECN_CE;
    } else if (ecn && ecn != ECN_CE && (outer & ECN_MASK) == ECN_ECT_1) {
        ecn = ECN_ECT_1;
    }
    return (outer & ~ECN_MASK) | ecn;
}

/* Writes the TTL and the type of service of the inner packet, which begins after the Ethernet header. */
static __always_inline int set_header(struct __sk_buff *skb, struct packet *packet, __u8 ttl, __u8 tos)
{
    __u32 start = sizeof(struct ethhdr);
    if (packet->flow.family == IPV6) {
        __u8 first[2] = {0x60 | tos >> 4, 0};
        if (bpf_skb_load_bytes(skb, start + 1, &first[1], 1))
            return -1;
        first[1] = tos << 4 | (first[1] & 0x0f);
        if (tos != packet->tos && bpf_skb_store_bytes(skb, start, first, 2, 0))
            return -1;
        return ttl == packet->ttl ? 0 : bpf_skb_store_bytes(skb, start + 7, &ttl, 1, 0);
    }
    __u32 check = start + __builtin_offsetof(struct iphdr, check);
    if (tos != packet->tos) {
        __u16 old = bpf_htons(0x4500 | packet->tos), new = bpf_htons(0x4500 | tos);
        if (bpf_l3_csum_replace(skb, check, old, new, 2) || bpf_skb_store_bytes(skb, start + 1, &tos, 1, 0))
            return -1;
    }
    if (ttl == packet->ttl)
        return 0;
    __u16 old = bpf_htons(packet->ttl << 8), new = bpf_htons(ttl << 8);
    if (bpf_l3_csum_replace(skb, check, old, new, 2))
        return -1;
    return bpf_skb_store_bytes(skb, start + 8, &ttl, 1, 0);
}

/* Reads the outer headers of an encapsulated packet. Returns the length of all headers before the inner packet.
 * Returns 0 if the packet is not for the LISP data port, is a fragment, has options or an incomplete header. */
static __always_inline __u32 read_outer(struct __sk_buff *skb, struct inbound_key *key, __u8 *ttl, __u8 *tos,
                                        __u32 *total_len)
{
    struct ethhdr *frame = at(skb, 0, sizeof *frame);
    __u32 offset = sizeof *frame;
    if (!frame)
        return 0;
    if (frame->h_proto == bpf_htons(ETH_P_IP)) {
        struct iphdr *ip = at(skb, offset, sizeof *ip);
        if (!ip || *(__u8 *)ip != 0x45 || ip->protocol != IPPROTO_UDP || ip->frag_off & bpf_htons(0x3fff))
            return 0;
        __builtin_memcpy(key->outer_source, &ip->saddr, 4);
        __builtin_memcpy(key->outer_destination, &ip->daddr, 4);
        key->outer_version = IPV4;
        *total_len = bpf_ntohs(ip->tot_len);
        *ttl = ip->ttl;
        *tos = ip->tos;
        offset += sizeof *ip;
    } else if (frame->h_proto == bpf_htons(ETH_P_IPV6)) {
        struct ipv6hdr *ip = at(skb, offset, sizeof *ip);
        if (!ip || ip->version != 6 || ip->nexthdr != IPPROTO_UDP)
            return 0;
        __builtin_memcpy(key->outer_source, &ip->saddr, 16);
        __builtin_memcpy(key->outer_destination, &ip->daddr, 16);
        key->outer_version = IPV6;
        *total_len = sizeof *ip + bpf_ntohs(ip->payload_len);
        *ttl = ip->hop_limit;
        *tos = ip->priority << 4 | ip->flow_lbl[0] >> 4;
        offset += sizeof *ip;
    } else {
        return 0;
    }
    struct udphdr *udp = at(skb, offset, sizeof *udp + LISP_LEN);
    if (!udp || udp->dest != bpf_htons(DATA_PORT))
        return 0;
    __builtin_memcpy(key->lisp_header, udp + 1, LISP_LEN);
    return offset + sizeof *udp + LISP_LEN;
}

/* Returns 1 if all lengths in the headers agree, the checksums of the IPv4 headers are right, and the outer UDP
 * checksum is zero. If the UDP checksum is not zero, only the router verifies it. */
static __always_inline int is_sound(struct __sk_buff *skb, __u32 headers, __u32 outer_total_len,
                                    struct packet *packet, struct inbound_key *key)
{
    __u32 start = sizeof(struct ethhdr);
    __u16 udp[4];
    if (bpf_skb_load_bytes(skb, headers - LISP_LEN - sizeof udp, udp, sizeof udp) || udp[3])
        return 0;
    if (outer_total_len + start != skb->len || packet->total_len + headers != skb->len ||
        bpf_ntohs(udp[2]) != packet->total_len + sizeof udp + LISP_LEN)
        return 0;
    __u32 ip[5];
    if (key->outer_version == IPV4 &&
        (bpf_skb_load_bytes(skb, start, ip, sizeof ip) || fold(bpf_csum_diff(0, 0, ip, sizeof ip, 0))))
        return 0;
    if (packet->flow.family == IPV4 &&
        (bpf_skb_load_bytes(skb, headers, ip, sizeof ip) || fold(bpf_csum_diff(0, 0, ip, sizeof ip, 0))))
        return 0;
    return 1;
}

SEC("classifier")
int decapsulate(struct __sk_buff *skb)
{
    struct inbound_key key = {};
    struct packet packet = {};
    __u8 outer_ttl, outer_tos;
    __u32 zero = 0, outer_total_len;
    /* The router does not get frames for other stations or frames with a VLAN tag. */
    if (skb->pkt_type == PACKET_OTHERHOST || skb->vlan_present)
        return TC_ACT_UNSPEC;
    /* The longest headers that the program reads are Ethernet, IPv6, UDP, LISP, IPv4 with options, and TCP. */
    if (skb->data_end - skb->data < 150)
        bpf_skb_pull_data(skb, skb->len < 150 ? skb->len : 150);
    __u32 headers = read_outer(skb, &key, &outer_ttl, &outer_tos, &outer_total_len);
    if (!headers)
        return TC_ACT_UNSPEC;
    if (read_packet(skb, headers, &packet))
        return TC_ACT_UNSPEC;
    __u32 hash = packet.flow.hash;
    key.flow = packet.flow;
    /* A super-packet of the outer UDP contains several datagrams, and the router's socket gets them one by one.
     * An encapsulated super-packet of TCP is one datagram. */
    __u32 packets = packet.total_len + headers < skb->len && skb->gso_segs ? skb->gso_segs : 1;
    if (packet.is_odd)
        return go_up(&inbound_words, hash, packets, ODD_HEADER);
    struct inbound_verdict *verdict = bpf_map_lookup_elem(&inbound, &key);
    if (!verdict)
        return go_up(&inbound_words, hash, packets, NO_FLOW);
    struct state *now = bpf_map_lookup_elem(&state, &zero);
    enum miss miss = invalidity(now, verdict->epoch);
    if (!now || miss != MISSES)
        return go_up(&inbound_words, hash, packets, miss);
    if (!is_installed(&inbound_words, hash))
        return go_up(&inbound_words, hash, packets, NOT_YET);
    if (!is_sound(skb, headers, outer_total_len, &packet, &key))
        return go_up(&inbound_words, hash, packets, CHECKSUM);
    int tos = decapsulated_tos(packet.tos, outer_tos);
    if (tos < 0)
        return go_up(&inbound_words, hash, packets, ECN);
    __u8 ttl = packet.ttl < outer_ttl ? packet.ttl : outer_ttl;
    if (!ttl)
        return go_up(&inbound_words, hash, packets, TTL);

    /* Older kernels do not know the two flags: the flags are set only if the two address families differ. */
    __u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_NO_CSUM_RESET;
    if (packet.flow.family != key.outer_version)
        flags |= packet.flow.family == IPV4 ? DECAP_L3_IPV4 : DECAP_L3_IPV6;
    if (bpf_skb_adjust_room(skb, -(__s32)(headers - sizeof(struct ethhdr)), BPF_ADJ_ROOM_MAC, flags))
        return go_up(&inbound_words, hash, packets, REFUSED);
    if (set_header(skb, &packet, ttl, tos))
        return TC_ACT_SHOT;
    note_use(&inbound_uses, verdict->number, skb, &packet);
    count(IN_HIT);
    return bpf_redirect(now->lisp0, BPF_F_INGRESS);
}

char _license[] SEC("license") = "MIT";
