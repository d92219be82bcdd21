// SPDX-License-Identifier: Apache-2.0
//
// HL7's own schema of FHIR XML over what the program answered, by xmllint, where both are here.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CORPORA } from './places.mjs';

const SCHEMA = join(CORPORA, 'fhir/r4-schemas/hl7.fhir.r4.corexml/package/xml/fhir-single.xsd');

/** Every one of the XML documents is valid; all are checked in one run. */
export function assertSchema(...documents) {
  if (!existsSync(SCHEMA)) return;
  const dir = mkdtempSync(join(tmpdir(), 'tasuki-xml-'));
  try {
    const files = documents.map((text, i) => {
      writeFileSync(join(dir, `${i}.xml`), text);
      return join(dir, `${i}.xml`);
    });
    execFileSync('xmllint', ['--noout', '--nonet', '--schema', SCHEMA, ...files], { stdio: 'pipe', maxBuffer: 1 << 26 });
  } catch (error) {
    if (error.code === 'ENOENT') return;
    assert.fail(String(error.stderr).split('\n').filter((line) => !line.endsWith(' validates')).join('\n').slice(0, 2000));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
