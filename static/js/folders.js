/*
 * Folders that are dropped: every file in them that plays, by name, and what else there was.
 */
(() => {
  const { partyline } = window;
  const MOST = 500, MOST_OTHERS = 5000, DEEPEST = 8;

  /** What was dropped, where a folder is among it; else nothing. Asked while the drop lasts: afterwards nobody knows. */
  partyline.droppedEntries = ({ items }) => {
    const entries = [...items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    return entries.some((entry) => entry.isDirectory) ? entries : null;
  };

  /** The files below that end in one of `endings`; how many others there were; and whether there is more than we took. */
  partyline.filesBelow = async (entries, endings) => {
    const found = { files: [], others: 0, folders: 0, isCut: false };
    await walk(entries, 0, found, (name) => endings.some((ending) => name.toLowerCase().endsWith(ending)));
    return found;
  };

  async function walk(entries, depth, found, plays) {
    for (const entry of [...entries].sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }))) {
      if (found.isCut) return;
      // What systems keep in folders for themselves.
      if (entry.name.startsWith('.')) continue;
      if (entry.isDirectory) {
        found.folders += 1;
        if (found.folders > MOST) { found.isCut = true; return; }
        if (depth < DEEPEST) await walk(await inside(entry), depth + 1, found, plays);
        else found.others += 1;
        continue;
      }
      if (found.files.length >= MOST || found.others >= MOST_OTHERS) { found.isCut = true; return; }
      const file = plays(entry.name) ? await fileOf(entry) : null;
      if (file) found.files.push(file); else found.others += 1;
    }
  }

  const fileOf = (entry) => new Promise((done) => { entry.file(done, () => done(null)); });

  /** What a folder holds, told a hundred at a time; one that cannot be read holds nothing. */
  async function inside(folder) {
    const reader = folder.createReader(), all = [];
    const some = () => new Promise((done) => { reader.readEntries(done, () => done([])); });
    for (let part = await some(); part.length; part = await some()) {
      all.push(...part);
      if (all.length > MOST + MOST_OTHERS) break;
    }
    return all;
  }
})();
