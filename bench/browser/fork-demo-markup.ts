// The demo of forks as markup: the home page and the bench page have it, and fork-demo.ts fills it in.

const pause = (lane: string, name: string): string => `<div class="${lane}"><dt>${name}</dt>
<dd><span class="bar" aria-hidden="true"><span></span></span><output>–</output></dd></div>`;

/** What the demo shows before anything has run; `controls` go above its buttons. */
export const forkDemo = (
  controls = '',
): string => `<section class="demo" aria-labelledby="demo-title">
<div class="demo-head">
<h2 id="demo-title">Live in this tab</h2>
<form>${controls}
<button name="run" class="main" disabled>Start</button>
<button name="fork" type="button" disabled>Fork now</button>
</form>
</div>
<p class="note" role="status"></p>
<dl class="pauses">
${pause('ours', 'Fork with ringzero')}
${pause('theirs', 'Copy of the memory')}
</dl>
<p class="ratio"><strong>–</strong>
<span>How long the program stands still, median. Shorter is better.</span></p>
<figure>
<svg class="lanes" role="img" height="224"
  aria-label="Words that each program wrote in the last four seconds"></svg>
<figcaption class="legend">
<span><i class="swatch writes"></i>writes of the program</span>
<span><i class="swatch exists"></i>a fork exists, and another thread reads it</span>
<span><i class="swatch pause"></i>the program stands still</span>
</figcaption>
</figure>
<p class="proof hush">A program writes to its memory without a pause. Every two seconds,
another thread wants that memory as it is at one moment.</p>
</section>`;

/** What the bench page lets choose. */
export const CHOICES = `
<label>memory
<select name="mib">
<option value="64">64 MiB</option>
<option value="256">256 MiB</option><option value="1024">1 GiB</option></select></label>
<label>the program writes to
<select name="part">
<option value="16">a sixteenth of it</option>
<option value="4">a quarter of it</option><option value="1">all of it</option></select></label>`;
