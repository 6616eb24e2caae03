"""The values that Genie must read in the outputs about a service and its statistics: one function for each
output."""

from forms import NO_LIMIT, span


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


def router_lisp(view):
    wanted = {
        "locator_table": "default",
        "locator_default_set": "N/A",
        "eid_instance_count": str(len(view["instances"])),
        "capability": ["None"],
        "tcp_path_mtu_discovery": True,
    }
    return {"lisp_id": {0: wanted}}
