// SPDX-License-Identifier: Apache-2.0
//
// Where the tree, the program and the corpora are.
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const BINARY = resolve(process.env.TASUKI_BINARY ?? join(ROOT, 'build-test/tasuki'));
export const CORPORA = resolve(process.env.TASUKI_CORPORA ?? join(ROOT, '../shared/data'));
