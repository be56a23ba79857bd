/** Hand a text to the browser as a file to save. */

export function saveFile(name: string, text: string, type: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has begun to read by the time this task ends, and not always before.
  setTimeout(() => URL.revokeObjectURL(url), 0);
}
