// @ts-check
// The frame's own behaviour (see components/shell.py): burger on small windows, theme, page titles.

let path = "";

/** Opens with the burger, closes when a page was chosen. @param {boolean} opened @param {string} pathname @param {object} bar */
export function navbar(opened, pathname, bar) {
  const moved = pathname !== path;
  path = pathname;
  return { ...bar, collapsed: { mobile: moved || !opened } };
}

/** The server draws pictures in the theme that the cookie names, so the view is asked for again. */
export function theme() {
  const dark = document.documentElement.getAttribute("data-mantine-color-scheme") === "dark";
  document.cookie = `interplay-theme=${dark ? "light" : "dark"}; path=/; max-age=31536000; samesite=strict`;
  window.location.reload();
  return true;
}

/** What a page waited for is there: show it. @param {boolean} done */
export function again(done) {
  if (done) window.location.reload();
  return false;
}

window.dash_clientside = Object.assign({}, window.dash_clientside, { shell: { navbar, theme, again } });
