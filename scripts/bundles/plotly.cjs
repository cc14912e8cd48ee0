// plotly.js with the traces that figures on axes and tables need; maps, 3D scenes, polar and WebGL traces are left out.
const Plotly = require("plotly.js/lib/core");

Plotly.register([
  require("plotly.js/lib/bar"),
  require("plotly.js/lib/box"),
  require("plotly.js/lib/contour"),
  require("plotly.js/lib/heatmap"),
  require("plotly.js/lib/histogram"),
  require("plotly.js/lib/histogram2d"),
  require("plotly.js/lib/table"),
  require("plotly.js/lib/violin"),
]);

module.exports = Plotly;
