// The page script with htmx; without a build templates fall back to ../../static/app.js alone.
import 'htmx.org';
import '../../static/app.js';
