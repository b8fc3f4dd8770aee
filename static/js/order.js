/* Orders of ids, and nothing of the page: the line after a change, and which of its rows need not move. */
(() => {
  /**
   * Rows that did not change keep their order, each changed row follows the one it names (Map id -> id before it).
   * Orphans name a row nobody knows; they come last.
   */
  function merge(ids, changes) {
    const followers = new Map();
    for (const [id, after] of changes) followers.set(after, [...(followers.get(after) ?? []), id]);
    const result = [], placed = new Set();
    const follow = (id) => followers.get(id)?.forEach(place);
    const place = (id) => {
      if (placed.has(id)) return;
      placed.add(id);
      result.push(id);
      follow(id);
    };
    follow('');
    for (const id of ids) if (!changes.has(id)) place(id);
    const orphans = [...changes.keys()].filter((id) => !placed.has(id));
    return { ids: [...result, ...orphans], orphans };
  }

  /** Indices of the longest rising run: the rows that need not move. */
  function steady(values) {
    const tails = [], previous = [];
    values.forEach((value, index) => {
      let low = 0, high = tails.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (values[tails[middle]] < value) low = middle + 1; else high = middle;
      }
      previous[index] = tails[low - 1];
      tails[low] = index;
    });
    const run = [];
    for (let index = tails.at(-1); index !== undefined; index = previous[index]) run.unshift(index);
    return run;
  }

  window.partyline.order = { merge, steady };
})();
