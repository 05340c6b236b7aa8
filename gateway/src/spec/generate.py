#!/usr/bin/env python3
"""Makes the tables beside this file from the XML dictionaries of QuickFIX.

    pip download quickfix==1.16.0 --no-binary :all: --no-deps
    tar xzf quickfix-1.16.0.tar.gz
    python3 gateway/src/spec/generate.py quickfix-1.16.0/spec

The tables are committed; this runs again only when an edition of the dictionaries is to be taken.
Licence of the dictionaries: NOTICE.txt. The format is described where it is read, in table.rs.
"""

import hashlib
import pathlib
import re
import sys
import xml.etree.ElementTree as Xml

DICTIONARIES = {
    "FIX42": "FIX.4.2",
    "FIX44": "FIX.4.4",
    "FIXT11": "FIXT.1.1",
    "FIX50SP2": "FIX.5.0SP2",
}

HEAD = """\
# {name}: fields, components and messages.
# Made by generate.py from spec/{file}.xml of QuickFIX 1.16.0
# (sha256 {sha}).
# This product includes software developed by quickfixengine.org
# (http://www.quickfixengine.org/). Licence: NOTICE.txt.
"""


def word(text):
    """A name or value as one word of a line."""
    if not text or re.search(r"[\s=]", text):
        sys.exit(f"not one word: {text!r}")
    return text


def members(parent, tags):
    """The fields, components and groups of a message, component or group, in their order."""
    words = []
    for child in parent:
        required = "!" if child.get("required") == "Y" else ""
        name = child.get("name")
        if child.tag == "component":
            words.append(f"@{word(name)}{required}")
        elif child.tag == "group":
            words += [f"{tags[name]}{required}(", *members(child, tags), ")"]
        else:
            words.append(f"{tags[name]}{required}")
    return words


def field(child):
    """A field: number, name, type, and its values with their names."""
    found = [(value.get("enum"), value.get("description")) for value in child.findall("value")]
    # A value that is a sentence (SettlLocation of FIX.4.2) says that there are others.
    values = sorted((value, word(name)) for value, name in found if " " not in value)
    others = "+" if len(values) < len(found) else ""
    head = [child.get("number"), word(child.get("name")), word(child.get("type")) + others]
    return head + [f"{word(value)}={name}" for value, name in values]


def table(path, file, name):
    """The text of one table."""
    source = path.read_bytes()
    root = Xml.fromstring(source)
    fields = sorted(root.find("fields"), key=lambda child: int(child.get("number")))
    tags = {child.get("name"): child.get("number") for child in fields}
    lines = ["fields", *(" ".join(field(child)) for child in fields), "components"]
    components = root.find("components")
    parts = [("header", root.find("header")), ("trailer", root.find("trailer"))]
    parts += [] if components is None else [(child.get("name"), child) for child in components]
    for part, child in parts:
        # One that is empty stands in the other of FIXT.1.1 and FIX.5.0SP2.
        if len(child) > 0:
            lines.append(" ".join([word(part), *members(child, tags)]))
    lines.append("messages")
    for child in root.find("messages"):
        head = [word(child.get(key)) for key in ("msgtype", "name", "msgcat")]
        lines.append(" ".join([*head, *members(child, tags)]))
    head = HEAD.format(name=name, file=file, sha=hashlib.sha256(source).hexdigest())
    return head + "\n".join(lines) + "\n"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    spec = pathlib.Path(sys.argv[1])
    for file, name in DICTIONARIES.items():
        text = table(spec / f"{file}.xml", file, name)
        (pathlib.Path(__file__).parent / f"{file}.txt").write_text(text)


if __name__ == "__main__":
    main()
