/** Builds the three pages (patient, specialist, referrer) into dist/, with hashed assets and nothing inline. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const pages = ["p", "s", "r"].map((page) => here(`${page}/index.html`));

export default defineConfig({
  root: here("."),
  publicDir: false,
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    outDir: "dist",
    emptyOutDir: true,
    // The server's Content-Security-Policy allows 'self' only: no data: URLs, no inline polyfill.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: pages },
  },
});
