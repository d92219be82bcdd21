#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the checked-in FHIR R4 tables of this folder from HL7's published definitions.

Usage: generate.py FOLDER

FOLDER is the unpacked package hl7.fhir.r4.core 4.0.1 (one JSON file for each definition). Facts only are
taken: names, types, cardinalities, codes, expressions. README.md says what the tables mean.
"""
import os
import re
import sys

from params import ABSTRACT, LICENCE, Output, Params, load, quote, wrap

SD = "http://hl7.org/fhir/StructureDefinition/"
TYPE_EXT = SD + "structuredefinition-fhir-type"
# Types the C code asks for by name.
KNOWN = ("Reference", "Coding", "CodeableConcept", "Identifier")


def upper_first(text):
    return text[0].upper() + text[1:]


# ── value sets ────────────────────────────────────────────────────────────────────────────────


class Codes:
    """The codes of value sets that name them all, directly or through complete code systems."""

    def __init__(self, resources):
        self.sets = {}
        self.systems = {}
        for r in resources:
            (self.sets if r["resourceType"] == "ValueSet" else self.systems).setdefault(r["url"], r)
        self.left = set()

    def system(self, url):
        found = self.systems.get(url)
        if not found or found.get("content") != "complete" or not found.get("concept"):
            return None
        codes = set()
        todo = list(found["concept"])
        while todo:
            concept = todo.pop()
            codes.add(concept["code"])
            todo += concept.get("concept", [])
        return codes

    def include(self, part):
        if part.get("filter"):
            return None
        codes = None
        if part.get("concept"):
            codes = {c["code"] for c in part["concept"]}
        elif part.get("system"):
            codes = self.system(part["system"])
            if codes is None:
                return None
        for url in part.get("valueSet", []):
            other = self.value_set(url)
            if other is None:
                return None
            codes = other if codes is None else codes & other
        return codes

    def value_set(self, url):
        found = self.sets.get(url.split("|")[0])
        if not found or "compose" not in found:
            return None
        codes = set()
        for part in found["compose"].get("include", []):
            more = self.include(part)
            if more is None:
                return None
            codes |= more
        for part in found["compose"].get("exclude", []):
            less = self.include(part)
            if less is None:
                return None
            codes -= less
        return codes or None

    def of_element(self, element, type_name):
        binding = element.get("binding", {})
        if binding.get("strength") != "required" or "valueSet" not in binding:
            return None
        if type_name not in ("code", "Coding", "CodeableConcept"):
            return None
        codes = self.value_set(binding["valueSet"])
        if codes is None:
            self.left.add(binding["valueSet"].split("|")[0])
            return None
        return tuple(sorted(codes, key=lambda c: c.encode()))

    def systems_in(self, url):
        found = self.sets.get(url.split("|")[0], {}).get("compose", {})
        out = set()
        for part in found.get("include", []):
            out |= {part["system"]} if "system" in part else set()
            for other in part.get("valueSet", []):
                out |= self.systems_in(other)
        return out

    def system_of(self, element, type_name):
        """The one code system that a required binding gives a bare code, or the empty text."""
        binding = element.get("binding", {})
        if type_name != "code" or binding.get("strength") != "required" or "valueSet" not in binding:
            return ""
        systems = self.systems_in(binding["valueSet"])
        return systems.pop() if len(systems) == 1 else ""


# ── types ─────────────────────────────────────────────────────────────────────────────────────


class Element:
    def __init__(self, name, base, type_name, element, choice, codes, system=""):
        self.name = name          # in JSON
        self.base = base          # in FHIRPath: "value" for valueQuantity
        self.type = type_name     # None: any resource
        self.choice = choice
        self.min = min(int(element["min"]), 255)
        self.many = element["max"] not in ("0", "1")
        self.summary = bool(element.get("isSummary"))
        self.modifier = bool(element.get("isModifier"))
        self.codes = codes
        self.system = system      # of a bare code


class Type:
    def __init__(self, name, kind):
        self.name = name
        self.kind = kind
        self.parent = ""          # the type it specializes: uri, of canonical
        self.elements = []


def type_code(one, path):
    """R4 writes ids and Extension.url as FHIRPath strings and hides the FHIR type in an extension."""
    if path == "Extension.url":
        return "uri"
    for ext in one.get("extension", []):
        if ext["url"] == TYPE_EXT:
            return ext["valueUrl"]
    return "string" if one["code"].startswith("http://hl7.org/fhirpath/") else one["code"]


class Model:
    def __init__(self, folder):
        self.codes = Codes(load(folder, "ValueSet") + load(folder, "CodeSystem"))
        self.types = {}
        self.resources = []
        for sd in load(folder, "StructureDefinition"):
            if sd.get("derivation") == "constraint" or sd["kind"] == "logical":
                continue
            self.add(sd)

    def add(self, sd):
        kinds = {"primitive-type": "PRIMITIVE", "complex-type": "COMPLEX", "resource": "RESOURCE"}
        kind = kinds[sd["kind"]]
        name = sd["type"]
        if kind == "RESOURCE" and name not in ABSTRACT:
            self.resources.append(name)
        elements = sd["snapshot"]["element"]
        parents = {e["path"].rsplit(".", 1)[0] for e in elements if "." in e["path"]}
        self.types[name] = Type(name, kind)
        self.types[name].parent = sd.get("baseDefinition", "").rsplit("/", 1)[-1]
        choices = {}
        for e in elements[1:]:
            path = e["path"]
            owner_name, leaf = path.rsplit(".", 1)
            if kind == "PRIMITIVE" and leaf == "value":
                continue
            if e["max"] == "0":
                continue
            if path in parents:
                self.types[path] = Type(path, "BACKBONE")
            owner = self.types[owner_name]
            self.expand(owner, e, leaf, path if path in parents else None, choices,
                        kind == "RESOURCE")

    def expand(self, owner, e, leaf, own_type, choices, in_resource):
        if "contentReference" in e:
            owner.elements.append(Element(leaf, leaf, e["contentReference"][1:], e, 0, None))
            return
        if own_type:
            owner.elements.append(Element(leaf, leaf, own_type, e, 0, None))
            return
        names = []
        for one in e["type"]:
            code = type_code(one, e["path"])
            if leaf == "id" and in_resource and "." not in owner.name:
                code = "id"
            if code not in names:
                names.append(code)
        if not leaf.endswith("[x]"):
            assert len(names) == 1, e["path"]
            name = None if names[0] == "Resource" else names[0]
            owner.elements.append(Element(leaf, leaf, name, e, 0,
                                          self.codes.of_element(e, names[0]),
                                          self.codes.system_of(e, names[0])))
            return
        base = leaf[:-3]
        number = choices[owner.name] = choices.get(owner.name, 0) + 1
        assert number < 64
        for name in names:
            owner.elements.append(Element(base + upper_first(name), base, name, e, number,
                                          self.codes.of_element(e, name)))


# ── output ────────────────────────────────────────────────────────────────────────────────────


def constant(name):
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).upper()


class Tables:
    def __init__(self, model):
        self.model = model
        # Capital letters sort before small ones: the primitives are the table's tail.
        names = [n for n in model.types if n not in ABSTRACT]
        self.names = sorted(names, key=lambda n: n.encode())
        self.index = {n: i for i, n in enumerate(self.names)}
        self.primitives = [n for n in self.names if model.types[n].kind == "PRIMITIVE"]
        assert self.names[-len(self.primitives):] == self.primitives

    def header(self, params):
        out = [LICENCE + """ * Generated by generate.py; not edited by hand. The raw tables behind definition.h: definition.c looks
 * things up in them, validate.c asks which primitive a type is, facets.c walks the trees of search
 * parameters. Nothing outside mappers/fhir includes this.
 */
#ifndef MAPPERS_FHIR_GEN_TABLES_H
#define MAPPERS_FHIR_GEN_TABLES_H

#include "mappers/fhir/definition.h"
"""]
        out.append("#define TABLES_TYPES %d" % len(self.names))
        out.append("#define TABLES_PRIMITIVE %d /* index of the first primitive type */"
                   % self.index[self.primitives[0]])
        out.append("#define TABLES_RESOURCES %d" % len(self.model.resources))
        out.append("#define TABLES_ELEMENTS_MAX %d /* elements of the largest type */"
                   % max(len(t.elements) for t in self.model.types.values()))
        out.append("\n/* Places in tables_types of the types that code knows by name. */\nenum tables_known {")
        for name in KNOWN:
            out.append("    TABLES_AT_%s = %d," % (constant(name), self.index[name]))
        out.append("};\n\n/* Primitive types in the order of the table. */\nenum tables_primitive {")
        for name in self.primitives:
            out.append("    TABLES_%s," % constant(name))
        out.append("""    TABLES_PRIMITIVE_COUNT
};

struct tables_range {
    uint16_t first;
    uint16_t count;
};

extern const struct definition_type tables_types[TABLES_TYPES];
extern const struct definition_type *const tables_resources[TABLES_RESOURCES];
""" + params + "\n#endif\n")
        return "\n".join(out)

    def definitions(self):
        sets, set_at, pool = {}, 0, []
        elements, orders, types = [], [], []
        for name in self.names:
            t = self.model.types[name]
            in_order = list(t.elements)
            by_name = sorted(in_order, key=lambda e: e.name.encode())
            assert len({e.name for e in by_name}) == len(by_name), name
            first = len(elements)
            for e in by_name:
                if e.codes and e.codes not in sets:
                    sets[e.codes] = set_at
                    set_at += len(e.codes) + 1
                    pool += [quote(c) + "," for c in e.codes] + ["0,"]
                elements.append("%s(%s,%s,%d,%d,%d,%d%s)" % (
                    "C" if e.codes else "E" if e.type else "R", quote(e.name),
                    self.index[e.type] if e.type else 0, e.choice, e.min, e.many,
                    e.summary + 2 * e.modifier,
                    ",%d" % sets[e.codes] if e.codes else ""))
            position = {e.name: first + i for i, e in enumerate(by_name)}
            orders += ["O(%d)" % position[e.name] for e in in_order]
            types.append("T(%s,%s,%d,%d)" % (quote(name), t.kind, first, len(by_name)))
        resources = ["&tables_types[%d]," % self.index[n] for n in sorted(self.model.resources)]
        self.counts = (len(elements), len(sets), len(pool))
        return LICENCE + """ * FHIR R4 types, elements and required codes. Generated by generate.py from HL7's definitions (CC0); not
 * edited by hand. Types are sorted by name, the elements of each type by name; an order list repeats
 * the elements as R4 defines them. The macros keep the lines short: the table is most of the file.
 */
#include "mappers/fhir/gen/tables.h"

#include "base/banned.h"

/* flags: 1 summary, 2 modifier */
#define E(name, type, choice, min, many, flags) \\
    {name, &tables_types[type], choice, min, many, (flags) & 1, (flags) >> 1, 0},
#define C(name, type, choice, min, many, flags, at) \\
    {name, &tables_types[type], choice, min, many, (flags) & 1, (flags) >> 1, &codes[at]},
#define R(name, none, choice, min, many, flags) \\
    {name, 0, choice, min, many, (flags) & 1, (flags) >> 1, 0},
#define O(at) &elements[at],
#define T(name, kind, at, count) {name, DEFINITION_##kind, &elements[at], count, &orders[at]},

static const char *const codes[] = {
%s
};

static const struct definition_element elements[] = {
%s
};

static const struct definition_element *const orders[] = {
%s
};

const struct definition_type tables_types[TABLES_TYPES] = {
%s
};

const struct definition_type *const tables_resources[TABLES_RESOURCES] = {
%s
};
""" % (wrap(pool, 8), wrap(elements, 3), wrap(orders, 12), wrap(types, 3), wrap(resources, 6))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = sys.argv[1]
    model = Model(folder)
    tables = Tables(model)
    params = Output(Params(model, folder))
    here = os.path.dirname(os.path.abspath(__file__))
    for name, text in (("definition_table.c", tables.definitions()),
                       ("param_table.c", params.table()),
                       ("tables.h", tables.header(params.header()))):
        with open(os.path.join(here, name), "w", encoding="utf-8") as file:
            file.write(text)
    print("types %d (resources %d, primitives %d), elements %d, code sets %d (%d codes)" % (
        len(tables.names), len(model.resources), len(tables.primitives), tables.counts[0],
        tables.counts[1], tables.counts[2] - tables.counts[1]))
    print("required bindings left open (not enumerable here): %s" % " ".join(
        sorted(u.rsplit("/", 1)[1] for u in model.codes.left)))
    params.report()


if __name__ == "__main__":
    main()
