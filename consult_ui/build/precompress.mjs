/** Writes .br and .gz beside every text file of dist/, and prints what the patient page costs on the wire. */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const dist = join(dirname(fileURLToPath(import.meta.url)), "..", "dist");
const compressible = /\.(html|js|css|svg|json|txt)$/;

function files(directory) {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? files(join(directory, entry.name)) : [join(directory, entry.name)],
  );
}

const compressedBytes = new Map();
for (const file of files(dist).filter((name) => compressible.test(name))) {
  const data = readFileSync(file);
  const brotli = brotliCompressSync(data, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_SIZE_HINT]: data.length,
    },
  });
  writeFileSync(`${file}.br`, brotli);
  writeFileSync(`${file}.gz`, gzipSync(data, { level: 9 }));
  compressedBytes.set(`/${relative(dist, file)}`, brotli.length);
}

for (const page of ["p", "s", "r"]) {
  const html = `/${page}/index.html`;
  if (!compressedBytes.has(html)) continue;
  const linked = [...readFileSync(join(dist, html), "utf8").matchAll(/(?:src|href)="(\/[^"]+)"/g)].map((m) => m[1]);
  const total = [html, ...linked].reduce((sum, path) => sum + (compressedBytes.get(path) ?? 0), 0);
  console.log(`${html}: ${(total / 1024).toFixed(1)} KiB compressed (${linked.length + 1} files)`);
}
