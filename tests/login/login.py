"""Logs in to the routers of a lab with netmiko and Unicon, and checks what they read.

The only argument is a directory with the outputs of `eidway lab testbed`, one file a format."""

import json
import logging
import re
import sys
from pathlib import Path

import yaml
from netmiko import ConnectHandler
from netmiko.exceptions import NetmikoAuthenticationException
from pyats.topology import loader

scratch = Path(sys.argv[1])
ESCAPE = "\x1b"


def expect(condition, output):
    if not condition:
        sys.exit(f"not expected: {output!r}")


def check_netmiko():
    devices = {device["port"]: device for device in json.loads((scratch / "netmiko").read_text())}
    expect(sorted(devices) == [2101, 2102, 2103], devices)
    expect(devices[2102]["password"] == "two words", devices)
    for port, hostname in [(2102, "xTR1"), (2103, "xTR2")]:
        log = scratch / f"netmiko-{port}"
        router = ConnectHandler(**devices[port], session_log=str(log))
        expect(router.find_prompt() == f"{hostname}#", router.find_prompt())
        answer = router.send_config_set(["interface Loopback7", "description by netmiko", "exit"])
        expect("Invalid" not in answer and f"{hostname}(config-if)#" in answer, answer)
        shown = router.send_command("show running-config | section Loopback7")
        expect(shown == "interface Loopback7\n description by netmiko", shown)
        # A long output comes whole, without a prompt between two screens.
        shown = router.send_command("show running-config")
        expect(shown.endswith("\nend"), shown)
        expect("--More--" not in log.read_text() and ESCAPE not in log.read_text(), log)
        router.disconnect()
    try:
        ConnectHandler(**{**devices[2102], "password": "wrong"})
        sys.exit("a wrong password was accepted")
    except NetmikoAuthenticationException:
        pass


def check_pages():
    """A program that knows `--More--` pages through a long output."""
    device = json.loads((scratch / "netmiko").read_text())[2]
    router = ConnectHandler(**device)
    router.send_command("terminal length 5")
    output, pages = "", 0
    router.write_channel("show running-config\n")
    while not output.endswith("xTR2#"):
        output += router.read_until_pattern(r" --More-- |xTR2#$")
        if output.endswith("--More-- "):
            pages += 1
            output = output[: -len(" --More-- ")]
            router.write_channel(" ")
    lines = re.sub("\x08+ +\x08+", "", output).splitlines()
    expect(pages > 3 and "end" in lines and "hostname xTR2" in lines, (pages, lines))
    router.disconnect()


def check_unicon():
    testbed = loader.load(str(scratch / "pyats"))
    expect(set(testbed.devices) == {"MSMR", "xTR1", "xTR2"}, testbed.devices)
    for name in ["xTR1", "xTR2"]:
        router = testbed.devices[name]
        router.connect(log_stdout=False)
        answer = router.configure(["interface Loopback8", "description by unicon"])
        expect("Invalid" not in answer, answer)
        shown = router.execute("show running-config | section Loopback8")
        expect(shown.splitlines() == ["interface Loopback8", " description by unicon"], shown)
        shown = router.execute("show ip lisp map-cache")
        expect("LISP IPv4 Mapping Cache for" in shown, shown)
        router.disconnect()


def check_ansible():
    inventory = yaml.safe_load((scratch / "ansible").read_text())
    (group,) = inventory["all"]["children"].values()
    host = group["hosts"]["xTR1"]
    expect((host["ansible_port"], host["ansible_password"]) == (2102, "two words"), host)


logging.disable(logging.CRITICAL)
check_netmiko()
check_pages()
check_ansible()
check_unicon()
