"""The values that Genie must read in the outputs of an xTR: one function for each output."""

from forms import FAMILIES, span


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
