// Uses the page as people do, in a real Chromium.
//
//   node page.mjs CHROMIUM MODULES URL FILES SCREENSHOTS
//
// MODULES is the folder where `npm ci` was run; FILES has the evidence that the service believes (evidence/), its request
// (request/) and one of another key (other/).

import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [chromiumPath, modules, url, files, screenshots] = process.argv.slice(2);
const require = createRequire(path.join(path.resolve(modules), "package.json"));
const { chromium } = require("playwright-core");
const axeSource = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

const folder = (name) => fs.readdirSync(path.join(files, name)).map((file) => path.join(files, name, file));
const evidence = folder("evidence");
const [request] = folder("request");
const [other] = folder("other");

const browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });
let failed = 0;

// A visitor with a fresh browser. Whatever the browser complains of is a fault.
const visit = async (name, options, act) => {
  if (process.env.ONLY && !name.includes(process.env.ONLY)) return;
  const context = await browser.newContext({ baseURL: url, viewport: { width: 1280, height: 900 }, ...options });
  const complaints = [];
  context.on("console", (message) => {
    // A page that shows what is wrong has a status that says so.
    const expected = /status of (404|422) /.test(message.text());
    if (message.type() === "error" && !expected) complaints.push(`console: ${message.text()}`);
  });
  context.on("weberror", (error) => complaints.push(`script: ${error.error()}`));
  context.on("requestfailed", (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText}`));
  context.on("request", (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith("data:")) complaints.push(`asks elsewhere: ${request.url()}`);
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  try {
    await act(page);
    assert.deepEqual(complaints, []);
    console.log(`ok      ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}\n${error.stack}\n${complaints.join("\n")}`);
    await page.screenshot({ path: path.join(screenshots, `failed-${name.replaceAll(" ", "-")}.png`) }).catch(() => {});
  } finally {
    await context.close();
  }
};

const shot = (page, name) => page.screenshot({ path: path.join(screenshots, `${name}.png`), fullPage: true });

const accessible = async (page) => {
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate((values) => window.axe.run(document, { runOnly: { type: "tag", values } }), RULES);
  const told = violations.map(({ id, help, nodes }) => `${id}: ${help}\n` + nodes.slice(0, 5).map((n) => `  ${n.html}\n  ${n.failureSummary}`).join("\n"));
  assert.deepEqual(told, [], `${page.url()}\n${told.join("\n")}`);
};

const fits = async (page) => {
  const wide = await page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    return [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > width + 1).map((e) => e.outerHTML.slice(0, 120));
  });
  assert.deepEqual(wide, [], `${page.url()} scrolls sideways`);
};

const unfold = (page) => page.evaluate(() => document.querySelectorAll("details").forEach((each) => { each.open = true; }));

const verdict = (page) => page.locator(".verdict h1").innerText();
const answered = (page) => page.waitForURL(/\/appraisals\/[0-9a-f-]+$/);

// Drops files as a person does who drags them there.
const drop = async (page, selector, paths) => {
  const contents = paths.map((file) => ({ name: path.basename(file), bytes: [...fs.readFileSync(file)] }));
  const data = await page.evaluateHandle((contents) => {
    const data = new DataTransfer();
    contents.forEach(({ name, bytes }) => data.items.add(new File([new Uint8Array(bytes)], name)));
    return data;
  }, contents);
  for (const kind of ["dragenter", "dragover", "drop"]) await page.dispatchEvent(selector, kind, { dataTransfer: data });
};

let accepted;

await visit("drop files and read the answer", {}, async (page) => {
  await page.goto("/");
  await shot(page, "form");
  await accessible(page);
  await drop(page, "[data-drop=evidence]", evidence);
  await drop(page, "[data-drop=evidence]", [other]);
  await drop(page, "[data-drop=request]", [request]);
  const listed = page.locator("[data-files=evidence] li");
  assert.equal(await listed.count(), evidence.length + 1);
  assert.match(await page.locator("[data-status]").innerText(), /added as request/);
  await shot(page, "form-with-files");
  await accessible(page);
  await page.getByRole("button", { name: `Remove: ${path.basename(other)}` }).click();
  assert.equal(await listed.count(), evidence.length);
  assert.match(await page.locator("[data-status]").innerText(), /removed/);
  await page.getByRole("button", { name: "Appraise" }).click();
  await answered(page);
  assert.equal(await verdict(page), "Accepted");
  accepted = page.url();
  await shot(page, "accepted");
  await accessible(page);
  await unfold(page);
  await shot(page, "accepted-unfolded");
  await accessible(page);
  await page.emulateMedia({ media: "print" });
  await shot(page, "accepted-print");
});

await visit("use a file as request", {}, async (page) => {
  await page.goto("/");
  await drop(page, "[data-drop=evidence]", [...evidence, request]);
  await page.getByRole("button", { name: `Use as request: ${path.basename(request)}` }).click();
  assert.equal(await page.locator("[data-files=request] li").count(), 1);
  assert.equal(await page.locator("[data-files=evidence] li").count(), evidence.length);
  await page.getByRole("button", { name: "Appraise" }).click();
  await answered(page);
  assert.equal(await verdict(page), "Accepted");
  await page.goBack();
  assert.equal(await page.locator("button.busy").count(), 0, "the form is ready again");
});

await visit("keyboard only", {}, async (page) => {
  await page.goto("/");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  await page.keyboard.press("Enter");
  const focus = () => page.evaluate(() => {
    const { id, name, type, tagName } = document.activeElement;
    const style = getComputedStyle(document.activeElement);
    return { id, name, type, tag: tagName, seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 };
  });
  const tabTo = async (what, wanted) => {
    for (let n = 0; n < 40; n += 1) {
      await page.keyboard.press("Tab");
      const at = await focus();
      assert.ok(at.seen, `focus is not seen at ${JSON.stringify(at)}`);
      if (wanted(at)) return;
    }
    assert.fail(`${what} is not reached by Tab`);
  };
  // One listener for all of it: between two, the browser would open a dialogue of its own.
  let choosers = [];
  page.on("filechooser", (chooser) => choosers.push(chooser));
  const choose = async (paths, list) => {
    choosers = [];
    await page.keyboard.press("Enter");
    for (let n = 0; n < 100 && !choosers.length; n += 1) await page.waitForTimeout(50);
    assert.equal(choosers.length, 1, "Enter opens the choice of files");
    await choosers[0].setFiles(paths);
    await page.locator(`[data-files=${list}] li`).nth(paths.length - 1).waitFor();
  };
  await tabTo("the evidence", (at) => at.id === "evidence");
  await choose(evidence, "evidence");
  await tabTo("the request", (at) => at.id === "request");
  await choose([request], "request");
  await tabTo("a policy", (at) => at.name === "policy");
  await tabTo("the button", (at) => at.tag === "BUTTON" && at.type === "submit");
  await page.keyboard.press("Enter");
  await answered(page);
  assert.equal(await verdict(page), "Accepted");
});

await visit("refused, with what to do", {}, async (page) => {
  await page.goto("/");
  await page.setInputFiles("#evidence", evidence);
  await page.setInputFiles("#request", other);
  await page.getByRole("button", { name: "Appraise" }).click();
  await answered(page);
  assert.equal(await verdict(page), "Refused");
  assert.match(await page.locator("ul.reasons").first().innerText(), /What to do:/);
  await shot(page, "refused");
  await accessible(page);
});

await visit("an error is at its place", {}, async (page) => {
  await page.goto("/");
  await page.locator("summary").click();
  await page.getByLabel("Nonce").fill("not hex");
  await page.setInputFiles("#evidence", evidence);
  await page.getByRole("button", { name: "Appraise" }).click();
  await page.getByRole("alert").waitFor();
  assert.equal(await page.getByLabel("Nonce").getAttribute("aria-invalid"), "true");
  assert.equal(await page.getByLabel("Nonce").inputValue(), "not hex");
  await shot(page, "error");
  await accessible(page);
});

await visit("without script", { javaScriptEnabled: false }, async (page) => {
  await page.goto("/");
  await page.setInputFiles("#evidence", evidence);
  await page.setInputFiles("#request", request);
  await page.getByRole("button", { name: "Appraise" }).click();
  await answered(page);
  assert.equal(await verdict(page), "Accepted");
});

await visit("search the record", {}, async (page) => {
  await page.goto("/appraisals");
  assert.ok(await page.locator("table.found tbody tr").count() >= 4);
  await shot(page, "record");
  await accessible(page);
  await page.getByLabel("Verdict").selectOption("refuse");
  await page.getByLabel("Maker").fill("Yubico");
  await page.getByLabel("Maker").press("Enter");
  await page.waitForURL(/verdict=refuse/);
  assert.equal(await page.locator("table.found tbody tr").count(), 1);
  await page.locator("table.found tbody a").first().click();
  await answered(page);
  assert.equal(await verdict(page), "Refused");
  await page.goto("/appraisals?serial=nobody");
  assert.match(await page.locator("main").innerText(), /No record is like that/);
  await shot(page, "record-empty");
  await accessible(page);
});

await visit("judge again", {}, async (page) => {
  await page.goto(accepted);
  await page.getByRole("button", { name: "Judge again" }).click();
  await page.waitForURL((now) => /\/appraisals\/[0-9a-f-]+$/.test(now.pathname) && now.href !== accepted);
  assert.equal(await verdict(page), "Accepted");
});

await visit("samples", {}, async (page) => {
  await page.goto("/samples");
  await shot(page, "samples");
  await accessible(page);
  await page.getByRole("link", { name: /^all variants of Crypto4A/ }).click();
  await shot(page, "samples-of-one");
  await accessible(page);
  await page.getByRole("button", { name: "Show the answer" }).first().click();
  assert.match(await page.locator(".throwaway").innerText(), /not recorded/);
  assert.match(await verdict(page), /^Accepted/);
  await shot(page, "sample");
  await accessible(page);
});

await visit("guides", {}, async (page) => {
  await page.goto("/devices");
  await shot(page, "devices");
  await accessible(page);
  await page.getByRole("link", { name: /^YubiKey PIV/ }).click();
  assert.equal(await page.locator("h1").innerText(), "YubiKey PIV");
  await shot(page, "guide");
  await accessible(page);
  await page.goto("/about");
  await shot(page, "about");
  await accessible(page);
  await page.goto("/nowhere");
  await shot(page, "nowhere");
  await accessible(page);
});

const PLACES = ["/", "/appraisals", "/samples", "/devices", "/devices/yubikey-piv", "/about", "/login"];

await visit("dark", { colorScheme: "dark" }, async (page) => {
  for (const place of [...PLACES, accepted]) {
    await page.goto(place);
    const [ground, ink] = await page.evaluate(() => ["backgroundColor", "color"].map((name) =>
      getComputedStyle(document.body)[name].match(/\d+/g).reduce((sum, part) => sum + Number(part), 0)));
    assert.ok(ground < ink, `${place} is dark on light`);
    await accessible(page);
  }
  await unfold(page);
  await accessible(page);
  await shot(page, "dark-accepted");
  await page.goto("/");
  await shot(page, "dark-form");
});

await visit("phone", { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }, async (page) => {
  const guides = await page.goto("/devices").then(() => page.locator("ul.cards a").evaluateAll((all) => all.map((a) => a.getAttribute("href"))));
  assert.ok(guides.length >= 25);
  for (const place of [...PLACES, ...guides, "/docs/architecture", "/samples?format=tpm"]) {
    await page.goto(place);
    await fits(page);
  }
  for (const [name, place] of [["form", "/"], ["record", "/appraisals"], ["accepted", accepted], ["guide", "/devices/yubikey-piv"], ["samples", "/samples"]]) {
    await page.goto(place);
    await unfold(page);
    await fits(page);
    await accessible(page);
    await shot(page, `phone-${name}`);
  }
});

await browser.close();
console.log(failed ? `${failed} failed` : "all passed");
process.exit(failed ? 1 : 0);
