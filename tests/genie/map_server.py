"""The values that Genie must read in the outputs about sites and sessions: one function for each output."""

from forms import FAMILIES, span, words


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
