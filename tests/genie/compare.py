"""compare.py EIDWAY RECORDS | compare.py --scenarios

Reads the text of each `show` with Cisco's parser, and compares its values with the JSON of the same
command. RECORDS has a folder with the records of the routers for each scenario of STATES.
"""

import json
import logging
import subprocess
import sys
from collections import Counter

from map_server import history, server_summary, session, sessions, site, site_detail, site_summary
from service import (
    instance,
    instance_statistics,
    router_lisp,
    service,
    service_statistics,
    service_summary,
)
from xtr import (
    away,
    database,
    database_eid,
    dynamic_detail,
    dynamic_summary,
    forwarding,
    map_cache,
    map_cache_detail,
    smr,
)

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
