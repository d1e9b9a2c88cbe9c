extension Report {
    /// Light, dark, narrow, and on paper.
    static let style: HTML = """

        :root{--page:#fff;--text:#1b1f24;--faint:#5c6570;--rule:#d9dee3;--panel:#f5f7f9;--mine:#0b5cad;\
        --rival:#b3541e;--mark:#ffe9a8;--cell:#0b5cad}
        @media (prefers-color-scheme:dark){:root{--page:#14171a;--text:#e4e7ea;--faint:#9aa4ae;\
        --rule:#343b42;--panel:#1d2125;--mine:#6cb2f5;--rival:#f0a06a;--mark:#5a4a12;--cell:#6cb2f5}}
        *{box-sizing:border-box}
        body{margin:0 auto;max-width:60rem;padding:1.5rem 1.25rem 3rem;background:var(--page);\
        color:var(--text);font:16px/1.5 system-ui,"Segoe UI",Roboto,"Noto Sans",sans-serif}
        h1{font-size:1.6rem;line-height:1.25;margin:.2rem 0 .8rem}
        h2{font-size:1.2rem;margin:2.4rem 0 .8rem;padding-top:1rem;border-top:1px solid var(--rule)}
        h3{font-size:1rem;margin:1.6rem 0 .6rem}
        p{margin:.5rem 0}
        .faint,figcaption,.remark,.facts dt{color:var(--faint)}
        figcaption,.faint{font-size:.875rem}
        dl{margin:0}
        dd{margin:0;min-width:0;overflow-wrap:anywhere}
        .facts{font-size:.875rem}
        .facts div,article dl div{display:grid;grid-template-columns:6.5rem 1fr;gap:.75rem;padding:.1rem 0}
        .cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.75rem;margin:1.4rem 0}
        .card{background:var(--panel);border-radius:8px;padding:.7rem .9rem;min-width:0}
        .name{font-size:.875rem;font-weight:600}
        .value{font-size:1.7rem;line-height:1.3;font-variant-numeric:tabular-nums;white-space:nowrap}
        .value small{font-size:.875rem;color:var(--faint);margin-left:.35rem}
        .remark{font-size:.8rem;overflow-wrap:anywhere}
        figure{margin:.8rem 0}
        figure>svg{width:100%;max-width:46rem}
        svg{max-width:100%;height:auto;display:block;font:12px system-ui,"Segoe UI",Roboto,"Noto Sans",sans-serif;\
        fill:var(--text)}
        svg .faint{fill:var(--faint);font-size:11px}
        .grid{stroke:var(--rule)}
        .bar{fill:var(--mine)}
        .range{stroke-width:6;stroke-linecap:round;opacity:.35}
        .range.mine{stroke:var(--mine)}
        .range.rival{stroke:var(--rival)}
        .point.mine,.key.mine{fill:var(--mine);color:var(--mine)}
        .point.rival,.key.rival{fill:var(--rival);color:var(--rival)}
        .key{margin-left:.75rem}
        .cell{fill:var(--cell);stroke:var(--rule);stroke-width:.5}
        .wide{overflow-x:auto}
        table{border-collapse:collapse;width:100%;font-size:.875rem}
        th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid var(--rule);font-weight:400;\
        vertical-align:baseline}
        thead th{color:var(--faint);white-space:nowrap}
        tbody th{white-space:nowrap}
        .number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
        .signature{font:.75rem ui-monospace,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere;min-width:14rem}
        .notes{font-size:.875rem;padding-left:1.2rem}
        article{border:1px solid var(--rule);border-radius:8px;padding:.6rem .9rem;margin:.6rem 0}
        article dt{color:var(--faint);font-size:.875rem;padding-top:.1rem}
        article dd{white-space:pre-wrap}
        mark{background:var(--mark);color:inherit;border-radius:3px;padding:0 .15em}
        .scores{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;margin:.5rem 0 0;font-size:.8rem;color:var(--faint)}
        .scores b{color:var(--text);font-weight:600;font-variant-numeric:tabular-nums}
        .maps{display:flex;flex-wrap:wrap;gap:1rem 2rem}
        .map{max-width:100%;overflow-x:auto}
        .map>svg{width:auto;max-width:none}
        footer{margin-top:2.5rem;padding-top:1rem;border-top:1px solid var(--rule);color:var(--faint);font-size:.8rem}
        @media (max-width:36rem){body{padding:1rem .8rem 2rem}\
        .facts div,article dl div{grid-template-columns:1fr;gap:0;padding:.2rem 0}\
        .cards{grid-template-columns:repeat(2,1fr)}\
        figure{overflow-x:auto}figure>svg{min-width:27rem}.map>svg{min-width:0}}
        @media print{:root{--page:#fff;--text:#000;--faint:#444;--rule:#bbb;--panel:#f3f3f3;--mine:#0b5cad;\
        --rival:#b3541e;--mark:#ffe9a8;--cell:#0b5cad}body{max-width:none;padding:0;font-size:11pt}\
        *{print-color-adjust:exact;-webkit-print-color-adjust:exact}\
        article,.card,figure,tr{break-inside:avoid}h2,h3{break-after:avoid}.wide,.map{overflow:visible}}

        """
}
