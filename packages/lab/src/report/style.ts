/** Colours are chosen to differ in lightness as well as hue, and the legend names each line, for readers who see few colours. */
export const style = `
:root{color-scheme:light dark;--page:#f6f6f4;--card:#fff;--ink:#1d1d1b;--soft:#63635e;--rule:#dededa;--s1:#1f6fc4;--s2:#d2541b;--s3:#158a5b;--s4:#7d4fc9;--s5:#b27400;--s6:#c23a7c;--s7:#0f8a99;--s8:#6b6b66;--good:#158a5b;--bad:#c22f2f}
@media(prefers-color-scheme:dark){:root{--page:#161616;--card:#1f1f1e;--ink:#ecece8;--soft:#a3a39c;--rule:#383836;--s1:#6cb0f5;--s2:#f58a55;--s3:#4cc893;--s4:#b497f2;--s5:#e3b341;--s6:#f283b3;--s7:#55c6d3;--s8:#b5b5ae;--good:#4cc893;--bad:#f47c7c}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1180px;margin:0 auto;padding:32px 24px 48px}
h1{font-size:28px;line-height:1.2;margin:0;overflow-wrap:anywhere}
h2{font-size:19px;margin:40px 0 8px}
h3{font-size:15px;margin:0}
p{margin:0 0 12px;color:var(--soft);max-width:75ch}
.sub{margin:8px 0 20px}
.status{display:inline-block;padding:1px 10px;margin-right:6px;border:1px solid currentColor;border-radius:99px;color:var(--soft);font-size:13px;font-weight:600}
.status.finished{color:var(--good)}.status.failed{color:var(--bad)}.status.running{color:var(--s1)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(240px,1fr));gap:1px;margin:0;background:var(--rule);border:1px solid var(--rule);border-radius:8px;overflow:hidden}
.tiles div{background:var(--card);padding:12px 16px}
dt{color:var(--soft);font-size:13px}dd{margin:0}
.value{display:block;font-size:24px;line-height:1.3;font-weight:600;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.none{display:block;line-height:31px;color:var(--soft);font-style:italic}
dd .unit,.sample .unit{display:block;min-height:1.5em;color:var(--soft);font-size:12px;margin:0}
section>.chart,.phone>.chart{margin-top:24px}
.grid2{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,460px),1fr));gap:16px}
.chart,.sample,table{background:var(--card);border:1px solid var(--rule);border-radius:8px}
.chart{margin:0;padding:14px 16px 10px;min-width:0}
.chart figcaption{display:flex;flex-wrap:wrap;gap:2px 16px;align-items:baseline;justify-content:space-between;margin-bottom:6px}
.chart h3{overflow-wrap:anywhere}
.legend{display:flex;flex-wrap:wrap;gap:0 14px;margin:0;font-size:13px;color:var(--ink)}.legend code{color:var(--soft);font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
.key{width:22px;height:8px;margin-right:5px;vertical-align:middle;overflow:visible}
.chart>svg{display:block;width:100%;height:auto}
svg text{font-size:12px;fill:var(--soft);font-variant-numeric:tabular-nums}
text.y{text-anchor:end;dominant-baseline:central}text.x{text-anchor:middle;dominant-baseline:hanging}text.unit{dominant-baseline:hanging}text.step{text-anchor:end;dominant-baseline:hanging}text.end{text-anchor:end}.phone{display:none}
.grid{stroke:var(--rule);stroke-width:1;vector-effect:non-scaling-stroke}.axis{stroke:var(--soft);stroke-width:1;vector-effect:non-scaling-stroke}
.line{fill:none;stroke:currentColor;stroke-width:2;stroke-linejoin:round;stroke-linecap:round;vector-effect:non-scaling-stroke}.line.raw{stroke-width:1;opacity:.35}
circle{fill:currentColor}
.s1{color:var(--s1)}.s2{color:var(--s2)}.s3{color:var(--s3)}.s4{color:var(--s4)}.s5{color:var(--s5)}.s6{color:var(--s6)}.s7{color:var(--s7)}.s8{color:var(--s8)}
.tip{fill:transparent}.tip:hover{fill:var(--ink);fill-opacity:.07}
.note,.empty{font-size:12.5px;margin:6px 0 2px}
.scroll{overflow-x:auto;margin:0 0 16px}
table{border-collapse:separate;border-spacing:0;width:100%;font-variant-numeric:tabular-nums}
.narrow{width:auto;min-width:320px}
caption{text-align:left;color:var(--soft);font-size:13px;padding:0 0 6px}
th,td{padding:6px 14px;text-align:right;border-top:1px solid var(--rule);font-weight:400}
thead th{border-top:0;color:var(--soft);font-size:13px}tbody:first-child tr:first-child>*{border-top:0}
th:first-child,th.text,td.text{text-align:left}td.text{overflow-wrap:anywhere}tbody th{font-weight:600}
pre{margin:8px 0 0;padding:12px 16px;background:var(--card);border:1px solid var(--rule);border-radius:8px;font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;white-space:pre-wrap;overflow-wrap:anywhere;overflow-x:auto}
.sample{padding:14px 16px;margin:0 0 12px}.sample pre{border:0;padding:0;background:none}
summary{cursor:pointer;margin-top:20px}summary h3{display:inline}section>h3{margin-top:20px}section>.scroll{margin-top:8px}
footer{margin-top:40px;color:var(--soft);font-size:13px}
@media(max-width:620px){main{padding:20px 14px}h1{font-size:23px}.tiles{grid-template-columns:1fr 1fr}.tiles div{padding:10px 12px}.value{font-size:19px}.chart{padding:12px 10px 8px}.wide{display:none}.phone{display:block}.chart>svg text{font-size:17px}th,td{padding:6px 9px}}
@media print{body{background:none}.chart,.sample{break-inside:avoid}}
`;
