// SPDX-License-Identifier: Apache-2.0
//
// Pages of the portal: a resident's own summary and access history by card certificate, nothing for anybody else, no script, our own
// style only, in both languages.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Region, sql } from './region.mjs';

let region;
let resident;
const page = (party, path, headers) => party.get(new URL(path, region.urls.portal).href, { Accept: 'text/html', ...headers });

before(async () => {
  region = await Region.start({ patients: 6 });
  resident = region.party('resident-2');
});
after(() => region?.stop());

/** A page: HTML, no script anywhere, and a policy that would stop one. */
function assertPage(answer) {
  assert.equal(answer.status, 200, answer.text.slice(0, 300));
  assert.match(answer.headers['content-type'], /^text\/html/);
  assert.match(answer.headers['content-security-policy'], /default-src 'none'/);
  assert.equal(answer.headers['cache-control'], 'no-store');
  assert.doesNotMatch(answer.text, /<script|javascript:|\son\w+=|style="/i);
}

describe('the resident of the card', () => {
  test('finds his name and the ways to his pages', async () => {
    const home = await page(resident, '/');
    assertPage(home);
    assert.ok(home.text.includes(region.resident('resident-2').name));
    assert.match(home.text, /href="\/summary"/);
    assert.match(home.text, /href="\/history"/);
  });

  test('reads his summary: allergy, anticoagulant, where they come from', async () => {
    const summary = await page(resident, '/summary');
    assertPage(summary);
    assert.match(summary.text, /ペニシリン/);
    assert.match(summary.text, /抗凝固薬/);
    assert.ok(region.demo.facilities.some((f) => summary.text.includes(f.name)));
  });

  test('reads who looked, and that reading is itself recorded', async () => {
    assertPage(await page(resident, '/history'));
    const { n } = sql(region, "SELECT count(*) AS n FROM audit WHERE event = 'access-history' AND door = 'portal'")[0];
    assert.ok(n >= 1);
    const again = await page(resident, '/history');
    assert.match(again.text, /ご本人/);
  });

  test('has them in English too', async () => {
    for (const path of ['/?lang=en', '/summary?lang=en', '/history?lang=en']) {
      const answer = await page(resident, path);
      assertPage(answer);
      assert.match(answer.text, /<html lang="en"/);
    }
    assert.match((await page(resident, '/', { 'Accept-Language': 'en-GB' })).text, /<html lang="en"/);
  });
});

describe('anybody else', () => {
  test("a facility's certificate opens the first page without a name, and no resident's page", async () => {
    const a = region.party('hospital-a');
    const home = await page(a, '/');
    assertPage(home);
    assert.doesNotMatch(home.text, /href="\/summary"/);
    for (const path of ['/summary', '/history']) assert.equal((await page(a, path)).status, 403);
  });

  test('a page that is none is 404, an asset outside the folder too', async () => {
    for (const path of ['/nothing', '/assets/none.css', '/assets/..%2f..%2fREADME.md'])
      assert.equal((await page(resident, path)).status, 404, path);
    assert.equal((await page(resident, '/assets/tasuki.css')).status, 200);
  });
});
