# SPDX-License-Identifier: Apache-2.0
"""Search parameters for generate.py: official FHIRPath expressions -> one tree of steps for each resource type.

README.md describes the tree. Facts only are taken from the definitions: names, types, expressions, codes.
"""
import json
import os
import re

SP = "http://hl7.org/fhir/SearchParameter/"
ABSTRACT = {"Resource", "DomainResource"}
# Kept by the store in columns of its own; listed as searchable, but they give no facets.
STORED = {"_id", "_lastUpdated"}
# Without any value in a resource that could be kept: the reason is printed and stands in README.md.
NOT_KEPT = {
    "DomainResource-text": "_text: words of the narrative, found through the index of words",
    "Resource-content": "_content: words of the whole, found through the index of words",
    "Resource-query": "_query: names an operation of a server, of which there are none",
    "filter": "_filter: an expression of its own, not a value",
    "patient-extensions-Patient-age": "age: changes with the clock; birthdate answers it",
    "example": "an example of a definition, _id again",
    "example-extension": "an example of a definition, on an invented extension",
    "example-reference": "an example of a definition, Condition.subject again",
}
# Components whose expressions and definitions R4 has put the wrong way round.
ERRATA = {"DocumentReference-relationship": ("target", "code")}
LICENCE = "/* SPDX-License-Identifier: Apache-2.0\n *\n"

# How facets.c takes a value of a type apart for a kind of parameter (README.md).
LEAVES = {
    "token": {"boolean": "c", "code": "c", "string": "c", "id": "c", "uri": "c", "oid": "c",
              "canonical": "c", "markdown": "c", "integer": "c", "positiveInt": "c",
              "unsignedInt": "c", "url": "c", "uuid": "c", "Coding": "C", "CodeableConcept": "K",
              "Identifier": "I", "ContactPoint": "P"},
    "string": {"string": "s", "markdown": "s", "code": "s", "uri": "s", "id": "s", "HumanName": "H",
               "Address": "A"},
    "date": {"date": "d", "dateTime": "d", "instant": "d", "Period": "p", "Timing": "t"},
    "number": {"integer": "n", "decimal": "n", "positiveInt": "n", "unsignedInt": "n", "Range": "r"},
    "quantity": {"Quantity": "q", "Age": "q", "Duration": "q", "Distance": "q", "Count": "q",
                 "Money": "m", "Range": "r"},
    "reference": {"Reference": "R", "canonical": "v", "uri": "v", None: "B"},
    "uri": {"uri": "u", "url": "u", "canonical": "v", "oid": "u", "uuid": "u"},
    "special": {"Location.position": "G"},
}

# Values so frequent that an index of them finds nothing faster: booleans, codes of a required binding, and these.
COMMON = {
    "status", "category", "class", "clinical-status", "verification-status", "priority", "intent", "gender",
    "language", "kind", "use", "deceased", "active", "mode", "severity", "criticality", "jurisdiction", "_security",
    "status-reason", "type-of-service", "service-category", "service-type", "address-use", "lifecycle", "modality",
    "experimental", "context-type", "action", "subtype", "version", "format", "contenttype", "security-label",
}

# Types that are of no person by nature and belong to everybody: why.
PUBLIC = {
    "directory: who and where care is given": "Organization OrganizationAffiliation Practitioner PractitionerRole "
        "Location HealthcareService Endpoint InsurancePlan",
    "catalogue: what is given": "Medication MedicationKnowledge MedicinalProduct MedicinalProductAuthorization "
        "MedicinalProductContraindication MedicinalProductIndication MedicinalProductIngredient "
        "MedicinalProductInteraction MedicinalProductManufactured MedicinalProductPackaged "
        "MedicinalProductPharmaceutical MedicinalProductUndesirableEffect Substance SubstanceNucleicAcid "
        "SubstancePolymer SubstanceProtein SubstanceReferenceInformation SubstanceSourceMaterial "
        "SubstanceSpecification CatalogEntry DeviceDefinition ObservationDefinition SpecimenDefinition "
        "ChargeItemDefinition",
    "terminology": "CodeSystem ValueSet ConceptMap NamingSystem TerminologyCapabilities",
    "conformance": "CapabilityStatement StructureDefinition StructureMap SearchParameter OperationDefinition "
        "CompartmentDefinition GraphDefinition ImplementationGuide MessageDefinition ExampleScenario TestScript",
    "knowledge": "ActivityDefinition PlanDefinition EventDefinition Library Measure Questionnaire Evidence "
        "EvidenceVariable EffectEvidenceSynthesis RiskEvidenceSynthesis ResearchDefinition ResearchElementDefinition",
}
COMPARTMENTS = ("Device", "Encounter", "Patient", "Practitioner", "RelatedPerson")


class NotCompilable(Exception):
    """The expression uses something the tree has no word for."""


def load(folder, kind):
    """All definitions of one resource type, sorted by url."""
    found = []
    for name in os.listdir(folder):
        if name.startswith(kind + "-") and name.endswith(".json"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                found.append(json.load(file))
    return sorted(found, key=lambda r: r["url"].encode())


def quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def wrap(items, per_line):
    lines = []
    for i in range(0, len(items), per_line):
        lines.append("    " + " ".join(items[i:i + per_line]))
    return "\n".join(lines)


# ── expressions ───────────────────────────────────────────────────────────────────────────────


TOKEN = re.compile(r"\s*(?:(%?[A-Za-z_]\w*)|('[^']*')|([0-9]+)|(!=|[().|\[\]=]))")
# Filters of a step: kind, key, value. The kinds are those of enum tables_filter.
ALL = ("ALL", "", "")
FIRST = ("FIRST", "", "")


def tokens_of(text):
    at, out = 0, []
    text = text.strip()
    while at < len(text):
        m = TOKEN.match(text, at)
        if not m:
            raise NotCompilable(text[at:])
        out.append(m.group(0).strip())
        at = m.end()
    return out


def text_of(token):
    if not re.fullmatch(r"'[^']+'", token):
        raise NotCompilable(token)
    return token[1:-1]


class State:
    """Where an expression has come to: steps from the resource, the type there, and what it must point to."""

    def __init__(self, steps, type_name, element=None, target="", outer=False):
        self.steps, self.type, self.element = steps, type_name, element
        self.target, self.outer = target, outer

    def filtered(self, one):
        if not self.steps or self.steps[-1][1] != ALL:
            raise NotCompilable("two filters on a step")
        steps = self.steps[:-1] + ((self.steps[-1][0], one),)
        return State(steps, self.type, self.element, self.target, self.outer)


class Compiler:
    """FHIRPath of search parameters -> states. Anything outside the subset is refused, never guessed."""

    def __init__(self, model, base):
        self.model, self.base = model, base

    def compile(self, expression, context=None):
        """All states the expression reaches from CONTEXT (a state), or from the resource."""
        if re.sub(r"\s", "", expression) == "Patient.deceased.exists()andPatient.deceased!=false":
            return [State((), "Patient.deceased")]  # of the resource itself: absent means false
        self.toks, self.at = tokens_of(expression), 0
        self.context = context or State((), self.base)
        states = self.union()
        if self.at != len(self.toks):
            raise NotCompilable(expression)
        return self.values_of_extensions(states)

    def values_of_extensions(self, states):
        out = []
        for s in states:
            if s.type == "Extension":
                out += self.child([s], "value")
            else:
                out.append(s)
        return out

    def peek(self):
        return self.toks[self.at] if self.at < len(self.toks) else None

    def take(self, wanted=None):
        tok = self.peek()
        if tok is None or (wanted and tok != wanted):
            raise NotCompilable("expected %s" % wanted)
        self.at += 1
        return tok

    def union(self):
        states = self.term()
        while self.peek() == "|":
            self.take()
            states = states + self.term()
        return states

    def term(self):
        states = self.path()
        if self.peek() == "as":
            self.take()
            states = self.only(states, self.take())
        return states

    def path(self):
        if self.peek() == "(":
            self.take()
            states = self.union()
            self.take(")")
        else:
            states = self.start(self.take())
        while self.peek() in (".", "["):
            if self.take() == "[":
                self.take("0")
                self.take("]")
                states = [s.filtered(FIRST) for s in states]
            else:
                states = self.step(states, self.take())
        return states

    def start(self, name):
        if name == "%resource":
            return [State((), self.base, outer=True)]
        if name in self.model.types and self.model.types[name].kind == "RESOURCE":
            if name == self.base or name in ABSTRACT:
                return [self.context]
            return []  # an alternative for another resource type
        if self.peek() == "(":
            return self.step([self.context], name)
        return self.child([self.context], name)

    def step(self, states, name):
        if self.peek() != "(":
            return self.child(states, name)
        self.take("(")
        if name in ("as", "ofType"):
            states = self.only(states, self.take())
        elif name == "where":
            states = self.where(states)
        elif name == "extension":
            one = ("MEMBER", "url", text_of(self.take()))
            states = [s.filtered(one) for s in self.child(states, "extension")]
        else:
            raise NotCompilable(name)
        self.take(")")
        return states

    def where(self, states):
        name = self.take()
        if name == "resolve":
            for wanted in ("(", ")", "is"):
                self.take(wanted)
            target = self.take()
            return [State(s.steps, s.type, s.element, target, s.outer) for s in states]
        if name == "hasExtension":
            self.take("(")
            one = ("EXTENSION", "", text_of(self.take()))
            self.take(")")
        else:
            self.take("=")
            one = ("MEMBER", name, text_of(self.take()))
        return [s.filtered(one) for s in states]

    def only(self, states, wanted):
        # R4 writes DateTime for dateTime in one place.
        return [s for s in states if wanted in self.kinds(s.type)]

    def kinds(self, name):
        """A type's name, with a capital letter too, and those of the types it specializes."""
        out = []
        while name in self.model.types:
            out += [name, name[0].upper() + name[1:]]
            name = self.model.types[name].parent
        return out

    def child(self, states, name):
        out = []
        for s in states:
            owner = self.model.types.get(s.type)
            if not owner or s.target:
                raise NotCompilable(name)
            found = [e for e in owner.elements if name in (e.base, e.name)]
            if not found:
                raise NotCompilable("%s.%s" % (s.type, name))
            out += [State(s.steps + ((e.name, ALL),), e.type, e, "", s.outer) for e in found]
        return out


def from_xpath(xpath):
    """f:T/f:a/f:b and f:T/f:extension[@url='U'] as FHIRPath, for parameters that have no other expression."""
    out = []
    for one in xpath.split(" | "):
        if one.startswith("/f:#"):
            continue
        one = re.sub(r"/f:extension\[@url='([^']+)'\]$", r".extension('\1')", one)
        if not re.fullmatch(r"f:\w+(/f:\w+)*(\.extension\('[^']+'\))?", one):
            raise NotCompilable(xpath)
        out.append(one.replace("/f:", ".").replace("f:", "", 1))
    return " | ".join(out)


# ── parameters ────────────────────────────────────────────────────────────────────────────────


class Leaf:
    def __init__(self, letter, state, part=0):
        self.letter, self.state, self.part = letter, state, part


class Param:
    def __init__(self, number, base, sp):
        self.number, self.base, self.code, self.url = number, base, sp["code"], sp["url"]
        self.kind, self.sp = sp["type"], sp
        self.leaves = []    # of a plain parameter
        self.elements = []  # of a composite: (state of the element, [leaves])
        self.parts = []     # of a composite: its components' parameters
        self.targets, self.common, self.system = "", False, ""


def leaves_of(states, kind, part, unfit):
    out, seen = [], set()
    for s in states:
        letter = "D" if s.type == "Patient.deceased" else LEAVES[kind].get(s.type)
        if not letter:
            if "extension" not in [step[0] for step in s.steps]:  # those may be of any type
                unfit.add(s.type)
        elif (s.steps, letter, s.target) not in seen:
            seen.add((s.steps, letter, s.target))
            out.append(Leaf(letter, s, part))
    return out


class Params:
    """Every official parameter, for each resource type it is of."""

    def __init__(self, model, folder):
        self.model = model
        self.official = load(folder, "SearchParameter")
        self.rows, self.left, self.unfit = [], [], []
        for number, sp in enumerate(self.official):
            if sp["url"][len(SP):] in NOT_KEPT:
                self.left.append((sp["url"], NOT_KEPT[sp["url"][len(SP):]]))
                continue
            self.add(number, sp)
        self.rows.sort(key=lambda p: (p.base.encode(), p.code.encode()))
        self.by_url = {(p.base, p.url): p for p in self.rows}
        for p in self.rows:
            self.finish(p)
        self.compartments(folder)
        self.public = {t for types in PUBLIC.values() for t in types.split()}
        assert self.public <= set(model.resources)

    def bases(self, sp, expression):
        given = sp.get("base") or sorted(set(re.findall(r"\b([A-Z]\w+)\.", expression)))
        out = []
        for base in given:
            out += self.model.resources if base in ABSTRACT else [base]
        return sorted(set(out))

    def add(self, number, sp):
        try:
            expression = sp.get("expression") or from_xpath(sp.get("xpath", ""))
        except NotCompilable as reason:
            self.left.append((sp["url"], str(reason)))
            return
        for base in self.bases(sp, expression):
            p = Param(number, base, sp)
            try:
                self.compile(p, expression)
            except NotCompilable as reason:
                self.left.append((sp["url"] + " " + base, str(reason)))
                continue
            if not p.leaves and not p.elements and p.code not in STORED:
                self.left.append((sp["url"] + " " + base, "no value of a type that fits"))
                continue
            self.rows.append(p)

    def compile(self, p, expression):
        unfit = set()
        compiler = Compiler(self.model, p.base)
        states = compiler.compile(expression)
        if p.kind == "composite":
            for element in states:
                leaves = []
                wrong = ERRATA.get(p.url[len(SP):])
                for part, c in enumerate(p.sp["component"]):
                    kind = self.kind_of(c["definition"])
                    relative = wrong[part] if wrong else c["expression"]
                    leaves += leaves_of(compiler.compile(relative, element), kind, part, unfit)
                if {leaf.part for leaf in leaves} == set(range(len(p.sp["component"]))):
                    p.elements.append((element, leaves))
        elif p.code not in STORED:
            p.leaves = leaves_of(states, p.kind, 0, unfit)
        self.unfit += ["%s %s: %s" % (p.base, p.code, t) for t in sorted(map(str, unfit))]

    def kind_of(self, url):
        return next(sp["type"] for sp in self.official if sp["url"] == url)

    def finish(self, p):
        p.parts = [self.by_url[p.base, c["definition"]] for c in p.sp.get("component", [])] \
            if p.kind == "composite" else []
        if p.kind == "reference":
            filters = {leaf.state.target for leaf in p.leaves}
            known = filters if filters and "" not in filters else set(p.sp.get("target", []))
            known &= set(self.model.resources)
            p.targets = "" if len(known) >= len(self.model.resources) - 2 else " ".join(sorted(known))
        if p.kind == "token":
            p.common = p.code in COMMON or bool(p.leaves) and all(
                leaf.letter == "D" or leaf.state.type == "boolean" or
                leaf.state.element is not None and leaf.state.element.codes for leaf in p.leaves)
            systems = {leaf.state.element.system if leaf.state.element and leaf.letter == "c" else ""
                       for leaf in p.leaves}
            p.system = systems.pop() if len(systems) == 1 else ""

    def compartments(self, folder):
        self.member = {}
        by_code = {(p.base, p.code): p for p in self.rows}
        for c in load(folder, "CompartmentDefinition"):
            if c["url"].endswith("/example"):
                continue
            for r in c["resource"]:
                known = [by_code[r["code"], code] for code in r.get("param", [])
                         if (r["code"], code) in by_code]
                for code in r.get("param", []):
                    if code != "{def}" and (r["code"], code) not in by_code:
                        self.left.append(("compartment %s: %s" % (c["code"], r["code"]),
                                          "no parameter " + code))
                if known:
                    self.member[c["code"], r["code"]] = known
        assert set(COMPARTMENTS) == {c for c, _ in self.member}


# ── trees ─────────────────────────────────────────────────────────────────────────────────────


class Node:
    def __init__(self, name="", one=ALL):
        self.name, self.filter = name, one
        self.children, self.leaves, self.groups = {}, [], []

    def at(self, steps):
        node = self
        for step in steps:
            node = node.children.setdefault(step, Node(*step))
        return node

    def sorted(self):
        return [self.children[k] for k in sorted(self.children, key=lambda k: (
            k[0].encode(), k[1]))]


def tree_of(rows):
    """ROWS: (place in the table of parameters, Param) of one resource type."""
    root = Node()
    for place, p in rows:
        for leaf in p.leaves:
            root.at(leaf.state.steps).leaves.append((place, leaf, 0))
        for element, leaves in p.elements:
            level = len(element.steps) + 1
            outer = Node()
            for leaf in leaves:
                top = outer if leaf.state.outer else root
                top.at(leaf.state.steps).leaves.append((place, leaf, level))
            root.at(element.steps).groups.append(
                (place, outer if outer.children else None, len(p.parts)))
    return root


class Trees:
    """All trees as flat arrays; a node's children stand together. Places in arrays are uint16_t."""

    def __init__(self):
        self.nodes, self.leaves, self.groups, self.filters = [None], [], [], {ALL: 0}

    def put(self, node):
        """The node's place, after its subtree has been placed."""
        place = len(self.nodes)
        self.nodes.append(None)
        self.fill(place, node)
        return place

    def fill(self, place, node):
        children = node.sorted()
        first = len(self.nodes) if children else 0
        self.nodes += [None] * len(children)
        leaf_first, group_first = len(self.leaves), len(self.groups)
        for at, leaf, level in node.leaves:
            self.leaves.append("L(%d,'%s',%d,%d,%s)" % (at, leaf.letter, leaf.part, level,
                                                         quote(leaf.state.target)))
        outers = [g for g in node.groups]
        self.groups += [None] * len(outers)
        one = self.filters.setdefault(node.filter, len(self.filters))
        self.nodes[place] = "N(%s,%d,%d,%d,%d,%d,%d,%d)" % (
            quote(node.name), one, first, len(children), leaf_first, len(node.leaves), group_first,
            len(outers))
        for i, (at, outer, parts) in enumerate(outers):
            root = self.put(outer) if outer else 0
            self.groups[group_first + i] = "G(%d,%d,%d)" % (at, parts, root)
        for i, child in enumerate(children):
            self.fill(first + i, child)


# ── output ────────────────────────────────────────────────────────────────────────────────────


HEADER = """
#define TABLES_PARAMS %d
#define TABLES_DEPTH %d /* steps of the longest expression, plus one */

enum tables_filter {
    TABLES_ALL,      /* every item */
    TABLES_FIRST,    /* the first item of the array */
    TABLES_MEMBER,   /* items whose member KEY has text VALUE */
    TABLES_EXTENSION /* items with an extension of url VALUE */
};
struct tables_step_filter {
    enum tables_filter kind;
    const char *key;
    const char *value;
};

/* A step of the tree of all expressions of a resource type. Children are sorted by name. */
struct tables_node {
    const char *name;    /* JSON name; empty: the root */
    uint8_t name_len;
    uint8_t filter;      /* place in tables_filters */
    uint8_t child_count, group_count;
    uint16_t first_child;
    uint16_t first_leaf, leaf_count;
    uint16_t first_group;
};
/* What a value reached gives: LETTER (README.md) for the parameter at PARAM. */
struct tables_leaf {
    uint16_t param;     /* place in tables_params */
    char letter;
    uint8_t part;       /* composite: which component */
    uint8_t level;      /* composite: depth of the element whose group it belongs to, plus one; 0: none */
    const char *target; /* reference: to this type only; or empty */
};
/* The element of a node makes a group of each composite parameter here. */
struct tables_group {
    uint16_t param;
    uint8_t part_count;
    uint16_t outer;     /* tree of components looked for from the resource, or 0 */
};

extern const struct definition_param tables_params[TABLES_PARAMS];
extern const struct tables_step_filter tables_filters[];
extern const struct tables_node tables_nodes[];
extern const struct tables_leaf tables_leaves[];
extern const struct tables_group tables_groups[];
/* Parameters of tables_resources[i]; the root of their tree; whether everybody sees the type. */
extern const struct tables_range tables_param_ranges[TABLES_RESOURCES];
extern const uint16_t tables_roots[TABLES_RESOURCES];
extern const bool tables_public[TABLES_RESOURCES];
/* By which parameters tables_resources[i] is in each compartment: ranges in tables_members. */
enum { TABLES_COMPARTMENTS = %d };
extern const char *const tables_compartments[TABLES_COMPARTMENTS];
extern const struct tables_range tables_member_ranges[TABLES_COMPARTMENTS][TABLES_RESOURCES];
extern const struct definition_param *const tables_members[];

/* The root of the tree of TYPE's search expressions, or NULL. */
const struct tables_node *definition_tree(struct slice type);
"""

TABLE = LICENCE + """ * R4 search parameters by resource type and code, the trees of their expressions (README.md), compartments, and
 * which types everybody sees. Generated by generate.py from HL7's definitions (CC0); not edited by hand. A
 * parameter's number is its place among all official parameters sorted by url.
 */
#include "mappers/fhir/gen/tables.h"

#include "base/banned.h"

#define P(number, base, code, kind, common, system, targets, url)                                  \\
    {number, base, code, FACET_##kind, common, 0, 0, system, targets,                              \\
     "http://hl7.org/fhir/SearchParameter/" url},
#define C(number, base, code, first, count, url)                                                   \\
    {number, base, code, FACET_COMPOSITE, 0, count, &parts[first], "", "",                         \\
     "http://hl7.org/fhir/SearchParameter/" url},
#define S(kind, param) {FACET_##kind, &tables_params[param]},
#define N(name, filter, child, children, leaf, leaves, group, groups)                              \\
    {name, sizeof(name) - 1, filter, children, groups, child, leaf, leaves, group},
#define L(param, letter, part, level, target) {param, letter, part, level, target},
#define G(param, parts, outer) {param, parts, outer},
#define F(kind, key, value) {TABLES_##kind, key, value},
#define M(param) &tables_params[param],

static const struct definition_part parts[] = {
%s
};

const struct definition_param tables_params[TABLES_PARAMS] = {
%s
};

const struct tables_range tables_param_ranges[TABLES_RESOURCES] = {
%s
};

const uint16_t tables_roots[TABLES_RESOURCES] = {
%s
};

const bool tables_public[TABLES_RESOURCES] = {
%s
};

const struct tables_step_filter tables_filters[] = {
%s
};

const struct tables_node tables_nodes[] = {
%s
};

const struct tables_leaf tables_leaves[] = {
%s
};

const struct tables_group tables_groups[] = {
%s
};

const char *const tables_compartments[TABLES_COMPARTMENTS] = {%s};

const struct tables_range tables_member_ranges[TABLES_COMPARTMENTS][TABLES_RESOURCES] = {
%s
};

const struct definition_param *const tables_members[] = {
%s
};
"""


class Output:
    def __init__(self, params):
        self.params = params
        self.place = {id(p): i for i, p in enumerate(params.rows)}
        resources = sorted(params.model.resources)
        self.trees, self.roots, self.ranges = Trees(), [], []
        self.trees.nodes[0] = 'N("",0,0,0,0,0,0,0)'
        at = 0
        for name in resources:
            mine = [(i, p) for i, p in enumerate(params.rows) if p.base == name]
            assert len({p.code for _, p in mine}) == len(mine), name
            assert not mine or mine[0][0] == at
            self.ranges.append("{%d, %d}," % (at, len(mine)))
            at += len(mine)
            self.roots.append("%d," % self.trees.put(tree_of(mine)))
        self.public = ["%d," % (name in params.public) for name in resources]
        self.members, self.member_ranges = [], []
        for compartment in COMPARTMENTS:
            row = []
            for name in resources:
                known = params.member.get((compartment, name), [])
                row.append("{%d, %d}," % (len(self.members), len(known)))
                self.members += ["M(%d)" % self.place[id(p)] for p in known]
            self.member_ranges.append("{\n%s\n    }," % wrap(row, 10))
        assert max(len(self.trees.nodes), len(self.trees.leaves)) < 65536
        assert len(self.trees.filters) < 256

    def header(self):
        depth = 1 + max(len(leaf.state.steps) for p in self.params.rows for leaf in
                        p.leaves + [leaf for _, leaves in p.elements for leaf in leaves])
        return HEADER % (len(self.params.rows), depth, len(COMPARTMENTS))

    def table(self):
        rows, parts = [], []
        for p in self.params.rows:
            url = quote(p.url[len(SP):])
            if p.kind == "composite":
                rows.append("C(%d,%s,%s,%d,%d,%s)" % (p.number, quote(p.base), quote(p.code), len(parts),
                                                      len(p.parts), url))
                parts += ["S(%s,%d)" % (c.kind.upper(), self.place[id(c)]) for c in p.parts]
            else:
                rows.append("P(%d,%s,%s,%s,%d,%s,%s,%s)" % (
                    p.number, quote(p.base), quote(p.code), p.kind.upper(), p.common, quote(p.system),
                    quote(p.targets), url))
        filters = ["F(%s,%s,%s)" % (k, quote(key), quote(value)) for k, key, value in self.trees.filters]
        return TABLE % (wrap(parts, 6), wrap(rows, 1), wrap(self.ranges, 8), wrap(self.roots, 16),
                        wrap(self.public, 24), wrap(filters, 1), wrap(self.trees.nodes, 4),
                        wrap(self.trees.leaves, 6), wrap(self.trees.groups, 8),
                        ", ".join(quote(c) for c in COMPARTMENTS),
                        "\n".join("    " + r for r in self.member_ranges), wrap(self.members, 10))

    def report(self):
        p = self.params
        used = len({row.number for row in p.rows})
        print("search parameters: %d official, %d usable as %d rows (%d of composites), trees of %d nodes, "
              "%d leaves; left out:" % (len(p.official), used, len(p.rows),
                                        sum(r.kind == "composite" for r in p.rows),
                                        len(self.trees.nodes), len(self.trees.leaves)))
        for url, reason in p.left:
            print("  %s: %s" % (url[len(SP):] if url.startswith(SP) else url, reason))
        print("reached, but of a type that gives no value of the parameter's kind:")
        for line in p.unfit:
            print("  " + line)
        print("common: " + " ".join(sorted({r.code for r in p.rows if r.common})))
