"""check.py EIDWAY LAB DIRECTORY: compares the exports of a lab with the lab, as the other programs read them."""

import json
import logging
import os
import subprocess
import sys

import jsonschema
import yaml
from Kathara.parser.netkit.LabParser import LabParser


def expect(found, wanted, text):
    """Ends the program with an error if two values differ."""
    if found != wanted:
        sys.exit(f"{text}:\n  found  {found}\n  wanted {wanted}")


def ends_of(link):
    """The ends of a link of a topology file of containerlab."""
    return frozenset(link["endpoints"])


def containerlab(lab, directory):
    """Checks the topology file of containerlab, and returns its parts: nodes, cables, and the ports of each LAN."""
    with open(os.path.join(directory, f"{lab}.clab.yml"), encoding="utf-8") as file:
        topology = yaml.safe_load(file)
    schema = os.environ.get("CONTAINERLAB_SCHEMA")
    if schema:
        with open(schema, encoding="utf-8") as file:
            jsonschema.Draft7Validator(json.load(file)).validate(topology)
    nodes = topology["topology"]["nodes"]
    lans = {name: set() for name, node in nodes.items() if node["group"] == "lan"}
    cables = set()
    for link in topology["topology"]["links"]:
        at_lan = [end for end in link["endpoints"] if end.split(":")[0] in lans]
        if at_lan:
            lans[at_lan[0].split(":")[0]] |= set(link["endpoints"]) - set(at_lan)
        else:
            cables.add(ends_of(link))
    ports = {frozenset(ports) for ports in lans.values()}
    return {name: node for name, node in nodes.items() if name not in lans}, cables, ports


def netlab(directory, nodes, cables, lans):
    """Checks the topology file of containerlab that netlab has made."""
    with open(os.path.join(directory, "clab.yml"), encoding="utf-8") as file:
        topology = yaml.safe_load(file)["topology"]
    made = topology["nodes"]
    bridges = {name: set() for name, node in made.items() if node["kind"] == "bridge"}
    expect(set(made) - set(bridges), set(nodes), "the nodes of netlab")
    for name, node in nodes.items():
        expect(made[name].get("network-mode"), "none", f"netlab: the management network of {name}")
        own = [line for line in made[name]["exec"] if not line.startswith("sysctl ")]
        expect(own, node.get("exec", []), f"netlab: the commands of {name}")
    found, lonely = set(), set()
    for link in topology["links"]:
        if link.get("type") == "dummy":
            # The only port of a LAN.
            end = link["endpoint"]
            lonely.add(frozenset([f"{end['node']}:{end['interface']}"]))
            continue
        at_bridge = [end for end in link["endpoints"] if end.split(":")[0] in bridges]
        if at_bridge:
            bridges[at_bridge[0].split(":")[0]] |= set(link["endpoints"]) - set(at_bridge)
        else:
            found.add(ends_of(link))
    expect(found, cables, "the links of netlab")
    expect({frozenset(ports) for ports in bridges.values()} | lonely, lans, "the LANs of netlab")


def kathara(directory, nodes, cables, lans):
    """Checks the network scenario as Kathara parses it."""
    scenario = LabParser.parse(directory)
    expect(set(scenario.machines), {name.lower() for name in nodes}, "the devices of Kathara")
    sizes = sorted(len(domain.machines) for domain in scenario.links.values())
    expect(sizes, sorted([2] * len(cables) + [len(lan) for lan in lans]), "the collision domains of Kathara")
    for name, node in nodes.items():
        with open(os.path.join(directory, f"{name.lower()}.startup"), encoding="utf-8") as file:
            lines = file.read().splitlines()
        for command in node.get("exec", []):
            expect(command in lines, True, f"Kathara: {name} has the command {command!r}")
        subprocess.run(["sh", "-n", file.name], check=True)


def main():
    """Checks all exports of one lab."""
    eidway, lab, directory = sys.argv[1:]
    logging.disable()
    nodes, cables, lans = containerlab(lab, os.path.join(directory, f"{lab}-containerlab"))
    status = subprocess.run([eidway, "lab", "status", lab, "--json"], capture_output=True, text=True, check=False)
    expect(set(nodes), {node["node"] for node in json.loads(status.stdout)}, "the nodes of containerlab")
    netlab(os.path.join(directory, f"{lab}-netlab"), nodes, cables, lans)
    kathara(os.path.join(directory, f"{lab}-kathara"), nodes, cables, lans)
    is_validated = "CONTAINERLAB_SCHEMA" in os.environ
    schema = "valid by the schema" if is_validated else "not validated: CONTAINERLAB_SCHEMA is not set"
    print(f"{lab}: netlab and Kathara read {len(nodes)} nodes and {len(cables) + len(lans)} links; containerlab: {schema}")


main()
