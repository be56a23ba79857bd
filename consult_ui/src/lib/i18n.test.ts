/** Both languages say the same things, with the same blanks to fill. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ApiError } from "./api";
import { addCatalog, fill, guessLanguage, setLanguage, t, tError } from "./i18n";

const source = join(import.meta.dirname, "..");
const directory = join(source, "i18n");
const pages = [...new Set(readdirSync(directory).map((name) => name.split(".")[0] ?? ""))];

function catalog(page: string, language: string): Record<string, string> {
  return JSON.parse(readFileSync(join(directory, `${page}.${language}.json`), "utf8")) as Record<string, string>;
}

const blanks = (words: string): string[] => [...words.matchAll(/\{\w+\}/g)].map(([blank]) => blank).toSorted();

describe.each(pages)("%s catalog", (page) => {
  const en = catalog(page, "en");
  const zh = catalog(page, "zh");

  it("has the same keys in zh and en (an English singular apart)", () => {
    const keys = Object.keys(en).filter((key) => !key.endsWith("#one"));
    expect(Object.keys(zh).toSorted()).toEqual(keys.toSorted());
    for (const key of Object.keys(en)) if (key.endsWith("#one")) expect(keys).toContain(key.slice(0, -4));
  });

  it("has the same blanks and no empty words", () => {
    for (const [key, words] of Object.entries(zh)) {
      expect(words.trim(), key).not.toBe("");
      expect(blanks(words), key).toEqual(blanks(en[key] ?? ""));
    }
  });
});

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? sources(join(folder, entry.name))
      : /\.tsx?$/.test(entry.name) && !/\.test\.ts$/.test(entry.name)
        ? [join(folder, entry.name)]
        : [],
  );
}

it("has words for every key that the code names", () => {
  const all = new Set(pages.flatMap((page) => Object.keys(catalog(page, "en"))));
  const missing = sources(source).flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/\bt\(\s*"([^"]+)"/g)].map(([, key]) => key ?? "").filter((key) => !all.has(key)),
  );
  expect(missing).toEqual([]);
});

describe("words", () => {
  it("come in the language of the link, the tab, then the browser", () => {
    expect(guessLanguage("?lang=zh", "en", ["en-US"])).toBe("zh");
    expect(guessLanguage("", "en", ["zh-CN"])).toBe("en");
    expect(guessLanguage("", null, ["fr", "zh-TW", "en"])).toBe("zh");
    expect(guessLanguage("?lang=xx", null, [])).toBe("en");
  });

  it("have their blanks filled and their singular chosen", () => {
    addCatalog({ en: { "x.min": "{count} minutes", "x.min#one": "{count} minute" }, zh: { "x.min": "{count} 分钟" } });
    setLanguage("en", false);
    expect([t("x.min", { count: 1 }), t("x.min", { count: 1200 })]).toEqual(["1 minute", "1,200 minutes"]);
    setLanguage("zh", false);
    expect(t("x.min", { count: 1 })).toBe("1 分钟");
    expect(fill("{a} {b}", { a: "x" }, "en")).toBe("x {b}");
  });

  it("explain failures in the reader's language, else in the server's words", () => {
    setLanguage("zh", false);
    expect(tError(new ApiError("network.timeout", "late", 0))).toContain("服务器");
    expect(tError(new ApiError("some.other", "The server's words.", 400))).toBe("The server's words.");
    setLanguage("en", false);
    expect(tError(new TypeError("x"))).toContain("Nothing you entered was lost");
  });
});
