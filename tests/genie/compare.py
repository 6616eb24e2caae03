"""compare.py EIDWAY RECORDS | compare.py --scenarios

Reads the text of each `show` with Cisco's parser, and compares its values with the JSON of the same
command. RECORDS has a folder with the records of the routers for each scenario of STATES.
"""

import json
import logging
import subprocess
import sys
from collections import Counter

# (scenario, router, time): the states in which all commands run. No time: at the end of the record.
STATES = [
    ("g3-move", "xTR1", None),
    ("g3-move", "xTR2", None),
    ("g3-move", "NewMSMR", None),
    ("g3-move", "OldMSMR", None),
    ("g3-move", "PxTR1", None),
    ("g2-no-route", "xTR1", None),
    ("g2-no-route", "xTR2", None),
    ("g4-overlapping", "xTR1", None),
    ("r3-udp-registration", "NewMSMR", None),
]


def span(seconds):
    """A span of time as IOS prints it."""
    if seconds is None:
        return "never"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days == 0:
        return f"{hours:02}:{minutes % 60:02}:{seconds % 60:02}"
    if days < 7:
        return f"{days}d{hours % 24:02}h"
    return f"{days // 7}w{days % 7}d"


def on(is_on):
    return "enabled" if is_on else "disabled"


def table(parsed, instance=0):
    """The data of the only EID-table."""
    return parsed["lisp_id"][0]["instance_id"][instance]


# ---- One function for each output. It returns the values that Genie must read. -----------------


def map_cache_locators(row, detail):
    wanted = {}
    for locator in row["locators"]:
        values = {
            "uptime": span(locator["uptime"]),
            "priority": locator["priority"],
            "weight": locator["weight"],
            "encap_iid": "-",
        }
        values["state" if detail else "rloc_state"] = locator["state"]
        if detail:
            values |= {
                "state_change_time": span(locator["uptime"]),
                "state_change_count": 1,
                "route_reachability_change_time": span(locator["uptime"]),
                "route_reachability_change_count": 1,
                "priority_change": "never",
                "weight_change": "never",
                "rloc_probe_sent": "never",
            }
        wanted[locator["rloc"]] = values
    return wanted


def map_cache(view):
    prefixes = {}
    for row in view["entries"]:
        learned = row["source"] == "map-reply"
        wanted = {
            "uptime": span(row["uptime"]),
            "expiry_time": span(row["expires"]),
            "via": "map-reply" if learned else "static-send-map-request",
        }
        if learned:
            wanted["map_reply_state"] = row["state"]
        if row["locators"]:
            wanted["locators"] = map_cache_locators(row, False)
        elif row["state"] in ("forward-native", "send-map-request") and not row["proxy_etr"]:
            wanted |= {"action": row["state"], "negative_cache_entry": True}
        prefixes[row["eid_prefix"]] = wanted
    values = {"eid_table": "default", "entries": view["total"], "eid_prefix": prefixes}
    # Genie takes the blank before the parenthesis for a part of the name.
    return {"lisp_id": {0: {"instance_id": {0: values | {"eid_table": "default "}}}}}


def map_cache_detail(view):
    """Genie reads one entry here. If there are several, it is the last one."""
    row = view["entries"][-1]
    eid, mask = row["eid_prefix"].split("/")
    learned = row["source"] == "map-reply"
    source = "map-reply" if learned else "static-send-map-request"
    idle = row["last_used"] if row["last_used"] is not None else row["uptime"]
    wanted = {
        "eid_table": "default",
        "entries": view["total"],
        "eid_prefix": row["eid_prefix"],
        "eid": eid,
        "mask": int(mask),
        "uptime": span(row["uptime"]),
        "expires": span(row["expires"]),
        "via": source,
        "sources": source,
        "state": row["state"],
        "last_modified": span(row["last_modified"]),
        "map_source": row["map_source"] or "local",
        "activity": "Active" if idle < 60 else "Idle",
        "packets_out": row["packets"],
        "packets_out_bytes": row["bytes"],
    }
    # The locators and the action of earlier entries stay.
    for each in view["entries"]:
        if each["locators"]:
            wanted.setdefault("locators", {}).update(map_cache_locators(each, True))
        elif not each["proxy_etr"]:
            wanted["action"] = each["state"]
    return {"lisp_id": {0: {"instance_id": {0: wanted}}}}


def database(view):
    eids = {}
    for row in view["entries"]:
        eid, mask = row["eid_prefix"].split("/")
        wanted = {
            "eid": eid,
            "mask": int(mask),
            "locator_set": row["locator_set"],
            "uptime": span(row["uptime"]),
            "last_change": span(row["last_change"]),
            "domain_id": "local",
            "service_insertion": "N/A",
            "service_insertion_id": 0,
            "locators": {},
        }
        if row["dynamic_eid"]:
            wanted["dynamic_eid"] = row["dynamic_eid"]
        if not row["has_route"]:
            wanted["no_route_to_prefix"] = True
        for locator in row["locators"]:
            location, state = locator["state"].split(", ")
            wanted["locators"][locator["rloc"]] = {
                "priority": locator["priority"],
                "weight": locator["weight"],
                "source": SOURCES[locator["source"]],
                "location": location,
                "state": state,
            }
        eids[row["eid_prefix"]] = wanted
    entries = {
        "total": view["total"],
        "no_route": view["no_route"],
        "inactive": view["inactive"],
        "do_not_register": 0,
        "eids": eids,
    }
    lsb = hex(view["locator_status_bits"])
    return {"lisp_id": {0: {"instance_id": {0: {"eid_table": "default", "lsb": lsb, "entries": entries}}}}}


SOURCES = {"cfg-addr": "cfg-addr", "cfg-intf": "cfg-intf"}


def database_eid(view):
    row = view["entries"][0]
    info = f"locator-set {row['locator_set']}"
    if row["dynamic_eid"]:
        info = f"dynamic-eid {row['dynamic_eid']}, {info}"
    if not row["has_route"]:
        info += " *** NO ROUTE TO EID PREFIX ***"
    locators = {}
    for locator in row["locators"]:
        locators[locator["rloc"]] = {
            "priority": locator["priority"],
            "weight": locator["weight"],
            "source": SOURCES[locator["source"]],
            "state": locator["state"],
            "config_missing": False,
        }
    wanted = {
        "address_family": FAMILIES[view["family"]],
        "eid_table": "default",
        "lsb": hex(view["locator_status_bits"]),
        "entries_total": view["total"],
        "no_route_entries": view["no_route"],
        "inactive_entries": view["inactive"],
        "do_not_register_entries": 0,
        "all_no_route": view["total"] > 0 and view["total"] == view["no_route"],
        "eid_prefix": row["eid_prefix"],
        "eid_info": info,
        "domain_id": "local",
        "srvc_ins_type": "N/A",
        "srvc_ins_id": 0,
        "locators": locators,
    }
    return {"lisp_id": {0: {"instance_id": {0: wanted}}}}


FAMILIES = {"ipv4": "IPv4", "ipv6": "IPv6", "IPv4": "IPv4", "IPv6": "IPv6"}


def away(view):
    rows = {
        row["eid_prefix"]: {"producer": row["producer"], "created": span(row["created"])}
        for row in view["entries"]
    }
    wanted = {"vrf": "default", "entries": view["total"]}
    if rows:
        wanted["eid_prefix"] = rows
    return {"lisp_id": {0: {"instance_id": {0: wanted}}}}


def smr(view):
    rows = {}
    for row in view["entries"]:
        rows[row["eid_prefix"]] = {"producer": ", ".join(row["producers"]).split(",")}
    # Genie reads no EID-table here: it takes the first line for a command.
    wanted = {"entries": view["total"], "prefix": rows}
    return {"lisp_id": {0: {"instance_id": {0: wanted}}}}


def sessions(view):
    peers = {}
    for row in view["sessions"]:
        received, sent = row["messages"]
        session = {
            "state": row["state"],
            "time": span(row["up"]),
            "in": str(received),
            "out": str(sent),
            "users": str(len(row["users"])),
            "rtt": str(row["rtt_ms"] or 0),
        }
        if row["port"]:
            session["port"] = str(row["port"])
        peers.setdefault(row["peer"], []).append(session)
    wanted = {"total": str(view["total"]), "established": str(view["established"])}
    if peers:
        wanted["peers"] = peers
    return {"vrf": {"default": wanted}}


def session(view):
    [row] = view["sessions"]
    address, port = row["local"].rsplit(":", 1)
    kind = "ETR" if row["kind"] == "Active" else "MS"
    users = {}
    for user in row["users"]:
        name = f"lisp 0 IID {user['instance_id']} AFI {FAMILIES[user['family']]}"
        received, sent = user["messages"]
        users[name] = {"in": received, "out": sent, "state": "TCP"}
    wanted = {
        "peer_addr": row["peer"],
        "peer_port": row["port"],
        "local_address": address,
        "local_port": int(port),
        "session_type": row["kind"],
        "session_state": row["state"],
        "session_state_time": f"({span(row['up'])})",
        "session_rtt": row["rtt_ms"] or 0,
        "session_rtt_time": f"({span(row['rtt_measured'])})",
        "messages_in": row["messages"][0],
        "messages_out": row["messages"][1],
        "bytes_in": row["bytes"][0],
        "bytes_out": row["bytes"][1],
        "fatal_errors": 0,
        "rcvd_unsupported": 0,
        "rcvd_invalid_vrf": 0,
        "rcvd_override": 0,
        "rcvd_malformed": 0,
        "sent_defferred": 0,
        "ssd_redundancy": "N/A",
        "auth_type": "None",
        "users": {"count": len(users), "type": {f"{kind} Reliable Registration": {"id": users}}},
    }
    return {"lisp_id": {0: wanted}}


def latest(row):
    return min(row["registrations"], key=lambda each: each["last_registered"], default=None)


def site(view):
    names = {}
    for row in view["entries"]:
        wanted = {"last_registered": "never", "who_last_registered": "--", "up": "no"}
        last = latest(row)
        if last:
            wanted = {
                "last_registered": span(last["last_registered"]),
                "who_last_registered": last["etr"],
                "port": last["etr_port"],
                "up": "yes",
            }
        instances = names.setdefault(row["site"], {"instance_id": {}})["instance_id"]
        prefixes = instances.setdefault(row["instance_id"], {"eid_prefix": {}})["eid_prefix"]
        prefixes[row["eid_prefix"]] = wanted
    return {"lisp_id": {0: {"site_name": names}}}


def words(number):
    return f"0x{number >> 32:08X}-0x{number & 0xffffffff:08X}"


def site_detail(view):
    names = {}
    for row in view["entries"]:
        registrations = row["registrations"]
        last = latest(row)
        origin = "Configuration"
        if row["more_specific_of"]:
            origin = f"Dynamic, more specific of {row['more_specific_of']}"
        elif row["accept_more_specifics"]:
            origin += ", accepting more specifics"
        first = max((each["first_registered"] for each in registrations), default=None)
        wanted = {
            "first_registered": span(first),
            "last_registered": span(last and last["last_registered"]),
            "routing_table_tag": 0,
            "origin": origin,
            "merge_active": "Yes" if len(registrations) > 1 else "No",
            "proxy_reply": "Yes" if any(each["proxy_reply"] for each in registrations) else "No",
            "skip_publication": "No",
            "force_withdraw": "No",
            "ttl": span(last["ttl"] if last else 0),
            "state": "complete" if last else "unknown",
            "extranet_iid": "Unspecified",
            "registration_erros": {
                "authentication_failures": row["authentication_failures"],
                "allowed_locators_mismatch": 0,
            },
        }
        for each in registrations:
            assert each["map_notify"] and each["hash_function"] == "sha1", "Genie reads no other"
            locators = {}
            for locator in each["locators"]:
                locators[locator["rloc"]] = {
                    "local": "yes" if locator["local"] else "no",
                    "state": locator["state"],
                    "priority": locator["priority"],
                    "weight": locator["weight"],
                    "scope": FAMILIES[locator["family"]],
                }
            wanted.setdefault("etr", {})[each["etr"]] = {
                "port": each["etr_port"],
                "last_registered": span(each["last_registered"]),
                "proxy_reply": each["proxy_reply"],
                "map_notify": True,
                "ttl": span(each["ttl"]),
                "nonce": words(each["nonce"]),
                "state": "complete",
                "xtr_id": each["xtr_id"] or "unspecified",
                "domain_id": "local",
                "multihoming_id": "unspecified",
                "locators": locators,
            }
        instances = names.setdefault(row["site"], {"instance_id": {}})["instance_id"]
        prefixes = instances.setdefault(row["instance_id"], {"eid_prefix": {}})["eid_prefix"]
        prefixes[row["eid_prefix"]] = wanted
    return {"lisp_id": {0: {"site_name": names}}}


def sums(view, family):
    counts = [families[family] for families in view["sites"].values()]
    return {key: sum(each[key] for each in counts) for key in ("configured", "registered")}


def site_summary(view):
    none = {"configured": 0, "registered": 0}
    sites = {}
    for name, (ipv4, ipv6) in view["sites"].items():
        sites[name] = {
            "ipv4": ipv4 | {"inconsistent": 0},
            "ipv6": ipv6 | {"inconsistent": 0},
            "mac": none | {"inconsistent": 0},
        }
    up = [name for name, both in view["sites"].items() if any(it["registered"] for it in both)]
    wanted = {
        "site": sites,
        "site_registration_limit": 0,
        "site_registration_count": view["registrations"],
        "ar_entries": 0,
        "configured_sites": len(sites),
        "registered_sites": len(up),
        "sites_with_inconsistent_reg": 0,
        "configured_registered_prefixes": {
            "ipv4": sums(view, 0),
            "ipv6": sums(view, 1),
            "mac": none,
        },
    }
    return {"lisp_id": {0: wanted}}


def server_summary(view):
    sites, total = {}, sums(view, 0)
    for name, (counts, _) in view["sites"].items():
        if counts["configured"]:
            sites[name] = counts | {"incons": 0}
    wanted = {
        "site": sites,
        "site_reg_limit": 0,
        "site_reg_count": view["registrations"],
        "configured_sites": len(sites),
        "registered_sites": sum(1 for each in sites.values() if each["registered"]),
        "sites_inconsistent_registrations": 0,
        "af": {
            "IPv4": {
                "configured_eid_prefixes": total["configured"],
                "registered_eid_prefixes": total["registered"],
                "instance_service_site_reg_limit": 0,
                "registration_history_size": view["history_size"],
                "registration_history_limit": view["history_limit"],
            }
        },
    }
    return {"lisp_id": {0: {"instance_id": {0: wanted}}}}


def history(view):
    events = {}
    for event in view["events"]:
        eid, mask = event["eid_prefix"].split("/")
        seconds, milliseconds = divmod(event["at"], 1000)
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{milliseconds:03}"
        wanted = {
            "time": clock,
            "instance_id": event["instance_id"],
            "protocol": "TCP" if event["reliable"] else "UDP",
            "roam": "Yes" if event["moved"] else "No",
            "wlc": "No",
            "source": event["source"],
            "reg_type": "+" if event["registered"] else "-",
            "eid": eid,
            "mask": int(mask),
        }
        events.setdefault(event["eid_prefix"], []).append(wanted)
    return {"lisp_id": {0: {"eid_address": events}}}


def dynamic_summary(view):
    names = {}
    for row in view["ranges"]:
        for host in row["hosts"]:
            names.setdefault(row["name"], {"eids": {}})["eids"][host["eid"]] = {
                "interface": host["interface"],
                "uptime": span(host["uptime"]),
                "last_packet": span(host["last_seen"]),
                "pending_ping_count": 0,
            }
    wanted = {"eid_table": "default"}
    if names:
        wanted["dynamic_eids"] = names
    return {"lisp_id": {0: {"instance_id": {view["instance_id"]: wanted}}}}


DISCOVERIES = {"neighbour": "Neighbor Discovery", "packet": "Packet Reception", "search": "Search"}


def dynamic_detail(view):
    names = {}
    for row in view["ranges"]:
        hosts = {}
        for host in row["hosts"]:
            hosts[host["eid"]] = {
                "interface": host["interface"],
                "uptime": span(host["uptime"]),
                "last_activity": span(host["last_seen"]),
                # Genie's pattern wants one more character behind the text, and cuts the last one.
                "discovered_by": DISCOVERIES[host["discovered_by"].lower()][:-1],
            }
        # One name has a range for each family. Genie keeps the values of the last one.
        wanted = names.setdefault(row["name"], {})
        wanted |= {
            "database_mapping": {
                "eid_prefix": row["eid_prefix"],
                "locator_set": row["locator_set"],
            },
            "map_servers": [],
            "num_of_dynamic_eid": len(hosts),
        }
        if hosts:
            last = min(row["hosts"], key=lambda host: host["uptime"])
            wanted["last_dyn_eid_discovered"] = last["eid"]
            wanted.setdefault("eid_entries", {}).update(hosts)
    wanted = {"eid_table": "default"}
    if names:
        wanted["dynamic_eids"] = names
    return {"lisp_id": {0: {"instance_id": {view["instance_id"]: wanted}}}}


def roles(view):
    """What `show lisp instance-id N ipv4` and `show lisp service ipv4` have in common."""
    has = view["roles"]
    itr = {
        "enabled": has["itr"],
        "proxy_itr_router": has["proxy_itr"],
        "local_rloc_last_resort": view["local_rloc"] or "*** NOT FOUND ***",
        "solicit_map_request": "accept and process",
        "max_smr_per_map_cache": "8 more specifics",
        "multiple_smr_supression_time": 20,
    }
    if has["proxy_itr"]:
        [itr["proxy_itr_rloc"]] = view["proxy_itr_rlocs"]
    return {
        "locator_table": "default",
        "itr": itr,
        "etr": {
            "enabled": has["etr"],
            "proxy_etr_router": has["proxy_etr"],
            "accept_mapping_data": "disabled, verify disabled",
            "map_cache_ttl": span(view["etr_map_cache_ttl"]),
        },
        "nat_traversal_router": False,
        "mobility_first_hop_router": "disabled",
        "map_server": {"enabled": has["map_server"]},
        "map_resolver": {"enabled": has["map_resolver"]},
        "delegated_database_tree": "disabled",
        "mr_use_petr": {"role": "disabled"},
        "first_packet_petr": {"role": "disabled"},
        "multiple_ip_per_mac": False,
        "mcast_flood_access_tunnel": False,
        "pub_sub": {"role": False},
        "xtr_id": view["xtr_id"],
        "site_id": "unspecified",
        "locator_status_algorithms": {
            "rloc_probe_algorithm": "disabled",
            "rloc_probe_on_route_change": False,
            "rloc_probe_member_change": "disabled",
            "lsb_reports": "process" if view["loc_reach"]["lsb_reports"] else "ignore",
            "ipv4_rloc_min_mask_len": 0,
            "ipv6_rloc_min_mask_len": 0,
        },
    }


NO_LIMIT = 4294967295


def instance(view):
    database_size, dynamic = view["database_size"], view["database_dynamic"]
    resolvers = {address: {"reachable": True} for address in view["map_resolvers"]}
    servers = {}
    for server in view["map_servers"]:
        since = span(server["last_notify"])
        servers[server["address"]] = {"last_map_register": {"timestamp": since}}
    wanted = roles(view)
    wanted |= {
        "itr_map_resolvers": {"found": bool(resolvers)} | resolvers,
        "etr_map_servers": {"found": bool(servers)} | servers,
        "eid_table": "default",
        "site_registration_limit": 0,
        "map_cache": {
            "static_mappings": view["map_cache_static"],
            "size": view["map_cache_size"],
            "limit": view["map_cache_limit"],
            "imported_route": {"count": 0, "limit": 5000},
            "activity_check_period": 60,
            "signal_supress": False,
            "conservative_allocation": False,
            "fib_updates": "established",
            "persistent": "disabled",
            "activity_tracking": True,
        },
        "database": {
            "total_database_mapping": database_size,
            "static_database": {"size": database_size - dynamic, "limit": NO_LIMIT},
            "dynamic_database": {"size": dynamic, "limit": view["dynamic_eid_limit"]},
            "route_import": {"size": 0, "limit": 5000},
            "import_site_reg": {"size": 0, "limit": NO_LIMIT},
            "dummy_database": {"size": 0, "limit": NO_LIMIT},
            "import_publication": {"size": 0, "limit": NO_LIMIT},
            "proxy_database": {"size": 0},
            "inactive": {"size": view["database_inactive"]},
        },
        "publication_entries_exported": {"map_cache": 0, "rib": 0, "database": 0, "prefix_list": 0},
        "site_reg_entries_exported": {"map_cache": 0, "rib": 0},
        "encapsulation_type": "lisp",
    }
    return {"lisp_id": {0: {"instance_id": {0: wanted}}}}


def listed(key, addresses):
    """The addresses as Genie reads them: of those after the first, only the last one."""
    first = addresses[0] if addresses else "***NOTFOUND***"
    row = {key: first}
    if len(addresses) > 1:
        row["prefix_list"] = addresses[-1]
    return {first: row}


def service(view):
    wanted = roles(view)
    wanted["itr"]["use_proxy_etr_rloc"] = view["proxy_etrs"] or ["none"]
    servers = [server["address"] for server in view["map_servers"]]
    wanted |= {
        "map_resolvers": listed("mr_address", view["map_resolvers"]),
        "mapping_servers": listed("ms_address", servers),
        "map_cache": {
            "limit": view["map_cache_limit"],
            "activity_check_period": 60,
            "persistent": "disabled",
        },
        "database": {"dynamic_database_limit": view["dynamic_eid_limit"]},
    }
    return {"lisp_id": {0: wanted}}


def service_summary(view):
    names = [("itr", "itr"), ("etr", "etr"), ("proxy_itr", "pitr"), ("proxy_etr", "petr")]
    role = "-".join(name for key, name in names if view["roles"][key]) or "none"
    cache = view["map_cache"]
    network = {
        "interface": "LISP0.0",
        "vrf": "default",
        "db_size": view["database_size"],
        "db_no_route": view["database_no_route"],
        "cache_size": cache["entries"],
        "incomplete": "0.0%",
        "cache_idle": f"{100 * cache['idle'] / max(cache['entries'], 1):.1f}%",
        "lisp_role": {role: {"lisp_role_type": role}},
    }
    summary = {
        "instance_count": 1,
        "total_eid_tables": 1,
        "total_db_entries": view["database_size"],
        "total_db_entries_inactive": view["database_inactive"],
        "total_map_cache_entries": cache["entries"],
        "eid_tables_inconsistent_locators": 0,
        "eid_tables_incomplete_map_cache_entries": 0,
        "eid_tables_pending_map_cache_update_to_fib": 0,
    }
    service = {"virtual_network_ids": {"0": network}, "etr": {"summary": summary}}
    router = {"lisp_router_instance_id": 0, "service": {"ipv4": service}}
    return {"lisp_router_instances": {0: router}}


def in_out(count):
    return {"in": count["received"], "out": count["sent"]}


def statistics(view):
    """The counters that the router has. All other numbers must be zero: see `zeros`."""
    drops = view["control_drops"]
    replies = {
        end: view["authoritative_records"][end] + view["other_records"][end]
        for end in ("received", "sent")
    }
    seconds, minute, minutes = view["recent_map_requests"]
    recent = {"5_sec": seconds, "1_min": minute, "5_min": minutes}
    seconds, minute, minutes = view["recent_map_registers"]
    recent_registers = {"5_sec": seconds, "1_min": minute, "5_min": minutes}
    return {
        "control_packets": {
            "map_requests": in_out(view["map_requests"])
            | recent
            | {
                "encapsulated": in_out(view["encapsulated"]),
                "rloc_probe": in_out(view["probes"]),
                "smr_based": in_out(view["smr_invoked"]),
                "expired": {"on_queue": 0, "no_reply": view["map_requests_unanswered"]},
                "map_server_forwarded": view["forwarded"],
            },
            "map_reply": in_out(replies)
            | {
                "authoritative": in_out(view["authoritative_records"]),
                "non_authoritative": in_out(view["other_records"]),
                "negative": in_out(view["negative_map_replies"]),
                "rloc_probe": in_out(view["probe_records"]),
                "map_server_proxy_reply": {"out": view["proxy_records"]},
            },
            "map_register": in_out(view["map_registers"])
            | recent_registers
            | {
                "not_valid_site_eid_prefix": drops.get("not-a-site-prefix", 0),
                "authentication_failures": drops.get("authentication", 0),
                "misc": drops.get("replay", 0),
            },
            "map_notify": in_out(view["map_notifies"]),
        },
        "cache_related": {
            "cache_entries": {
                "created": view["map_cache_created"],
                "deleted": view["map_cache_deleted"],
            },
            "rejected_eid_prefix_due_to_limit": view["map_cache_rejected"],
        },
        "forwarding": {
            "data_signals": {"processed": view["held"]},
            "reachability_reports": {"count": view["status_bit_changes"]},
            "smr_signals": {"dropped": view["smrs_suppressed"]},
        },
        "misc_statistics": {
            "unsupported_lisp_packet_drops": drops.get("unsupported", 0),
            "unknown_packet_drops": drops.get("malformed", 0),
        },
    }


def instance_statistics(view):
    cache = view["map_cache"]
    mapped = max(cache["entries"] - cache["negative"], 1)
    wanted = statistics(view)
    wanted["cache_related"] |= {
        "eid_prefix_map_cache": cache["entries"],
        "negative_entries_map_cache": cache["negative"],
        "total_rlocs_map_cache": cache["locators"],
        "average_rlocs_per_eid_prefix": cache["locators"] // mapped,
    }
    return {"lisp_id": {0: {"instance_id": {0: wanted}}}}


def service_statistics(view):
    return {"lisp_id": {0: statistics(view)}}


def forwarding(view):
    actions = {"complete": "encap", "send-map-request": "signal", "drop": "drop"}
    rows = {}
    for row in view["entries"]:
        up = [n for n, locator in enumerate(row["locators"]) if locator["state"] == "up"]
        rows[row["eid_prefix"]] = {
            "fwd_action": actions.get(row["state"], "encap" if row["proxy_etr"] else "fwd-native"),
            "locator_status_bits": f"0x{sum(1 << n for n in up):08x}",
            "encap_iid": "N/A",
            "packets": row["packets"],
            "bytes": row["bytes"],
        }
    return {"lisp_id": {0: {"instance_id": {0: {"prefix": rows}}}}}


def router_lisp(view):
    wanted = {
        "locator_table": "default",
        "locator_default_set": "N/A",
        "eid_instance_count": str(len(view["instances"])),
        "capability": ["None"],
        "tcp_path_mtu_discovery": True,
    }
    return {"lisp_id": {0: wanted}}


# The command, the values that Genie must read, and the list of the view that must not be empty.
COMMANDS = [
    ("show lisp instance-id 0 ipv4 map-cache", map_cache, "entries"),
    ("show lisp 0 instance-id 0 ipv4 map-cache", map_cache, "entries"),
    ("show lisp eid-table default ipv4 map-cache", map_cache, "entries"),
    ("show lisp instance-id 0 ipv6 map-cache", map_cache, "entries"),
    ("show lisp instance-id 0 ipv4 map-cache detail", map_cache_detail, "entries"),
    ("show lisp instance-id 0 ipv6 map-cache detail", map_cache_detail, "entries"),
    ("show lisp instance-id 0 ipv4 map-cache 172.16.0.12", map_cache_detail, "entries"),
    ("show lisp instance-id 0 ipv4 map-cache 192.168.0.0/24", map_cache_detail, "entries"),
    ("show lisp instance-id 0 ipv6 map-cache 2001:db8:b::/64", map_cache_detail, "entries"),
    ("show lisp instance-id 0 ipv4 database", database, "entries"),
    ("show lisp instance-id 0 ipv6 database", database, "entries"),
    ("show lisp eid-table default ipv4 database", database, "entries"),
    ("show lisp instance-id 0 ipv4 database 10.10.10.0/24", database_eid, "entries"),
    ("show lisp instance-id 0 ipv4 database 192.168.0.0/24", database_eid, "entries"),
    ("show lisp instance-id 0 ipv4 away", away, "entries"),
    ("show lisp instance-id 0 ipv6 away", away, "entries"),
    ("show lisp instance-id 0 ipv4 smr", smr, "entries"),
    ("show lisp instance-id 0 ipv6 smr", smr, "entries"),
    ("show lisp instance-id 0 ipv4 statistics", instance_statistics, None),
    ("show lisp instance-id 0 ipv6 statistics", instance_statistics, None),
    ("show lisp service ipv4 statistics", service_statistics, None),
    ("show lisp instance-id 0 ipv4", instance, None),
    ("show lisp instance-id 0 ipv6", instance, None),
    ("show lisp service ipv4", service, None),
    ("show lisp service ipv6", service, None),
    ("show lisp service ipv4 summary", service_summary, None),
    ("show lisp instance-id 0 ipv4 server", site, "entries"),
    ("show lisp instance-id 0 ipv6 server", site, "entries"),
    ("show lisp instance-id 0 ipv4 server detail", site_detail, "entries"),
    ("show lisp instance-id 0 ipv4 server 172.16.0.12", site_detail, "entries"),
    ("show lisp instance-id 0 ipv4 server summary", server_summary, "sites"),
    ("show lisp instance-id 0 ipv4 server registration-history", history, "events"),
    ("show lisp instance-id 0 ipv4 forwarding eid remote", forwarding, "entries"),
    ("show lisp site", site, "entries"),
    ("show lisp site instance-id 0", site, "entries"),
    ("show lisp site detail", site_detail, "entries"),
    ("show lisp site name SITE_1", site_detail, "entries"),
    ("show lisp site 172.16.0.12", site_detail, "entries"),
    ("show lisp site summary", site_summary, "sites"),
    ("show lisp session", sessions, "sessions"),
    ("show lisp vrf default session", sessions, "sessions"),
    ("show lisp session established", sessions, "sessions"),
    ("show lisp session all", sessions, "sessions"),
    ("show lisp session 209.165.201.31", session, "sessions"),
    ("show lisp session 198.51.100.21", session, "sessions"),
    ("show lisp instance-id 0 dynamic-eid", dynamic_detail, "ranges"),
    ("show lisp instance-id 0 dynamic-eid detail", dynamic_detail, "ranges"),
    ("show lisp instance-id 0 dynamic-eid summary", dynamic_summary, "ranges"),
    ("show lisp", router_lisp, None),
]

# The classes of commands that Genie itself assigns to another class.
CLASSES = {
    "server summary": ("show_lisp", "ShowLispIAFServer"),
    "server registration-history": ("show_lisp", "ShowLispRegistrationHistory"),
}


def parse(device, command, text):
    """The values that Genie reads in the text, checked by Genie's schema."""
    for words, (module, name) in CLASSES.items():
        if command.endswith(words):
            modules = __import__(f"genie.libs.parser.iosxe.{module}", fromlist=[name])
            parser = getattr(modules, name)(device=device)
            return parser.parse(output=text, instance_id="0", address_family="ipv4")
    return device.parse(command, output=text)


def differences(wanted, read, path=""):
    """The values of `wanted` that `read` does not have. `read` may have more values."""
    if isinstance(wanted, dict):
        for key, value in wanted.items():
            if not isinstance(read, dict) or key not in read:
                yield f"{path}/{key}: {value!r} is missing"
            else:
                yield from differences(value, read[key], f"{path}/{key}")
    elif wanted != read or type(wanted) is not type(read):
        yield f"{path}: {wanted!r} is expected, Genie reads {read!r}"


def too_many(wanted, read, path=""):
    """The keys of `read` that `wanted` does not have."""
    for key, value in read.items():
        if key not in wanted:
            yield f"{path}/{key}: Genie reads {value!r}"
        elif isinstance(value, dict):
            yield from too_many(wanted[key], value, f"{path}/{key}")


def not_zero(wanted, read, path=""):
    """The numbers of `read` that are neither in `wanted` nor zero."""
    for key, value in read.items():
        known = isinstance(wanted, dict) and key in wanted
        if isinstance(value, dict):
            yield from not_zero(wanted[key] if known else {}, value, f"{path}/{key}")
        elif not known and value not in (0, "never"):
            yield f"{path}/{key}: zero is expected, Genie reads {value!r}"


def is_empty(view, rows):
    return not view[rows] if rows else False


def main():
    if sys.argv[1:] == ["--scenarios"]:
        return print(" ".join(sorted({scenario for scenario, _, _ in STATES})))
    eidway, records = sys.argv[1:]
    logging.disable(logging.CRITICAL)
    from genie.conf.base import Device
    from genie.metaparser.util.exceptions import SchemaEmptyParserError

    device = Device("eidway", os="iosxe")
    device.custom = {"abstraction": {"order": ["os"]}}
    failures, read_with_rows = 0, Counter()
    for scenario, router, until in STATES:
        record = f"{records}/{scenario}/{router}.record"
        replay = [eidway, "replay", record] + (["--until", until] if until else [])

        def run(line):
            done = subprocess.run(replay + ["-c", line], capture_output=True, text=True, check=False)
            # The replay prints two lines before the output of the command.
            return done.stdout.split("\n", 2)[2]

        for command, wanted_of, rows in COMMANDS:
            view = json.loads(run(f"{command} json"))
            if "error" in view or is_empty(view, rows):
                continue
            text = run(command)
            wanted = wanted_of(view)
            try:
                read = parse(device, command, text)
                found = list(differences(wanted, read))
                found += (not_zero if "statistics" in command else too_many)(wanted, read)
            except (Exception, SchemaEmptyParserError) as error:
                found = [f"Genie fails: {type(error).__name__}: {error}"]
            if found:
                failures += 1
                print(f"{scenario} {router}# {command}\n{text}")
                print("".join(f"  {line}\n" for line in found))
            else:
                read_with_rows[command] += 1
    never = [command for command, _, _ in COMMANDS if not read_with_rows[command]]
    for command in never:
        print(f"never read with the right values: {command}")
    passed = sum(read_with_rows.values())
    print(f"{passed} passed, {failures + len(never)} failed")
    sys.exit(1 if failures or never else 0)


if __name__ == "__main__":
    main()
