import Checkpoint
import Foundation
import Inference
import Scoring

extension Report {
    /// As one page of HTML that needs nothing else: no script, no file, no network. Its policy forbids
    /// them, too, whatever a text may have got in.
    package var html: String {
        let page: HTML = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="\(policy)">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="referrer" content="no-referrer">
            <title>Evaluation: \(name)</title>
            <style>\(Self.style)</style>
            </head>
            <body>
            <header>
            <h1>Evaluation of a translation model</h1>
            <dl class="facts">\(facts.map { fact($0.name, $0.value) })</dl>
            </header>
            <main>
            \(cards)
            \(scores)
            \(byLength)
            \(byScore)
            \(examples)
            \(attentions)
            </main>
            <footer>Made by dtrain evaluate. Scores are those of sacreBLEU \(Signature.version).</footer>
            </body>
            </html>

            """
        return page.source
    }

    /// Nothing is loaded, nothing is run, nothing is sent; this style sheet alone applies.
    private var policy: String {
        let digest = SHA256.digest(Array(Self.style.source.utf8))
        let bytes = stride(from: 0, to: digest.count, by: 2).compactMap { place in
            UInt8(digest.dropFirst(place).prefix(2), radix: 16)
        }
        return "default-src 'none'; style-src 'sha256-\(Data(bytes).base64EncodedString())'; "
            + "base-uri 'none'; form-action 'none'"
    }

    private func fact(_ name: String, _ value: String) -> HTML {
        "<div><dt>\(name)</dt><dd>\(value)</dd></div>"
    }

    private var cards: HTML {
        let figures: [HTML] = measurements.map { measurement in
            let bounds = measurement.confidence.flatMap { $0.mean > 0 ? $0.margin : nil }
            let margin: HTML = bounds.map { "<small>± \(fixed($0, 1))</small>" } ?? ""
            return card(
                measurement.metric.name, "\(fixed(measurement.score.value, 1))\(margin)",
                better(measurement))
        }
        return """
            <section class="cards">\(figures)\
            \(card("perplexity", "\(fixed(perplexity, 2))", "loss \(fixed(loss, 3)) nats a token"))\
            \(card("sentences", "\(grouped(lines.count))", name))</section>
            """
    }

    private func card(_ name: String, _ value: HTML, _ remark: String) -> HTML {
        """
        <div class="card"><div class="name">\(name)</div><div class="value">\(value)</div>\
        <div class="remark">\(remark)</div></div>
        """
    }

    private var scores: HTML {
        let rows: [HTML] = measurements.map { measurement in
            """
            <tr><th scope="row">\(measurement.metric.name)</th>\
            <td class="number">\(fixed(measurement.score.value, 2))</td>\
            <td class="number">\(bounds(measurement))</td>\
            <td class="signature">\(measurement.signature.text)</td></tr>
            """
        }
        let remarks: [HTML] = notes.map { "<li>\($0)</li>" }
        let list: HTML = notes.isEmpty ? "" : "<ul class=\"notes\">\(remarks)</ul>"
        return """
            <section>
            <h2>Scores</h2>
            <figure>\(Chart.intervals(intervals, title: "scores with their intervals"))
            <figcaption>\(caption)</figcaption></figure>
            <div class="wide"><table><thead><tr><th>metric</th><th class="number">score</th>\
            <th class="number">95 %</th><th>signature of sacreBLEU</th></tr></thead>\
            <tbody>\(rows)</tbody></table></div>
            \(comparisons)\(list)
            </section>
            """
    }

    private var caption: HTML {
        let drawn = measurements.first?.resampling.map {
            "95 of 100 texts drawn from these sentences lie within a line (\(grouped($0.resamples)) draws)."
        }
        let other: HTML =
            measurements.contains { $0.baseline != nil }
            ? """
             <span class="key mine">●</span> this model <span class="key rival">●</span> \(rival)
            """ : ""
        return "\(drawn ?? "")\(other)"
    }

    private var intervals: [Chart.Interval] {
        measurements.flatMap { measurement -> [Chart.Interval] in
            let own = measurement.confidence
            var rows = [
                Chart.Interval(
                    label: measurement.metric.name, value: measurement.score.value,
                    margin: own?.margin, mean: own?.mean ?? measurement.score.value,
                    isBaseline: false)
            ]
            if let baseline = measurement.baseline {
                let other = measurement.comparison?.baseline
                rows.append(
                    Chart.Interval(
                        label: "", value: baseline.value, margin: other?.margin,
                        mean: other?.mean ?? baseline.value, isBaseline: true))
            }
            return rows
        }
    }

    private var comparisons: HTML {
        let rows: [HTML] = measurements.compactMap { measurement in
            measurement.comparison(named: rival).map {
                "<li><b>\(measurement.metric.name)</b> \($0)</li>"
            }
        }
        return rows.isEmpty ? "" : "<ul class=\"notes\">\(rows)</ul>"
    }

    private var byLength: HTML {
        let lengths = lengths
        let bars = lengths.map { length in
            Chart.Bar(
                label: length.label, figure: fixed(length.rank, 0),
                remark: "\(grouped(length.lines.count))", value: length.rank)
        }
        let heads: [HTML] = measurements.map { "<th class=\"number\">\($0.metric.name)</th>" }
        let rows: [HTML] = lengths.map { length in
            let scores: [HTML] = length.scores.map {
                "<td class=\"number\">\(fixed($0.value, 1))</td>"
            }
            return """
                <tr><th scope="row">\(length.label)</th>\
                <td class="number">\(grouped(length.lines.count))</td>\(scores)\
                <td class="number">\(fixed(length.ratio, 2))</td>\
                <td class="number">\(fixed(length.loss, 3))</td></tr>
                """
        }
        return """
            <section>
            <h2>By length of the reference</h2>
            <figure>\
            \(Chart.bars(bars, top: 100, title: "chrF2 by length"))
            <figcaption>The mean chrF2 of the sentences whose reference has so many tokens; below, how many sentences those are.</figcaption></figure>
            <div class="wide"><table><thead><tr><th>tokens</th><th class="number">sentences</th>\(heads)\
            <th class="number">output/reference</th><th class="number">loss</th></tr></thead>\
            <tbody>\(rows)</tbody></table></div>
            </section>
            """
    }

    private var byScore: HTML {
        let counts = histogram
        let bars = counts.enumerated().map { index, count in
            Chart.Bar(
                label: "\(index * 10)–\(index * 10 + (index == 9 ? 10 : 9))",
                figure: grouped(count), remark: "", value: Double(count))
        }
        let top = Chart.top(above: Double(counts.max() ?? 0))
        return """
            <section>
            <h2>Sentences by score</h2>
            <figure>\
            \(Chart.bars(bars, top: top, title: "sentences by chrF2"))
            <figcaption>How many sentences there are by their chrF2.</figcaption></figure>
            </section>
            """
    }

    private var examples: HTML {
        let groups: [HTML] = samples.map { group in
            """
            <h3>\(group.title)</h3>
            \(group.lines.map(example))
            """
        }
        return """
            <section>
            <h2>Sentences</h2>
            <p class="faint">Ordered by chrF2. <mark>Marked</mark> words have no counterpart in the other \
            text. log P is the model's, in nats a token.</p>
            \(groups)
            </section>
            """
    }

    private func example(_ line: EvaluatedLine) -> HTML {
        let difference = WordDifference(
            line.translation.text, line.references.first ?? "", byCharacters: script.lacksBlanks)
        let others: [HTML] = line.references.dropFirst().map { row("reference", "\($0)") }
        let scores: [HTML] = zip(measurements, line.scores).map {
            "<span>\($0.metric.name) <b>\(fixed($1.value, 1))</b></span>"
        }
        return """
            <article><dl>\(row("source", "\(line.source)"))\
            \(row("output", marked(difference.first)))\
            \(row("reference", marked(difference.second)))\(others)</dl>\
            <p class="scores"><span>line <b>\(line.number)</b></span>\(scores)\
            <span>log P <b>\(fixed(line.translation.logProbabilityOfToken, 2))</b></span>\
            <span>log P of the reference <b>\(fixed(line.logProbabilityOfReference, 2))</b></span></p></article>
            """
    }

    private func row(_ name: String, _ text: HTML) -> HTML {
        """
        <div><dt>\(name)</dt><dd lang="" dir="auto" translate="no">\(text)</dd></div>
        """
    }

    private func marked(_ stretches: [WordDifference.Stretch]) -> HTML {
        let gap: HTML = script.lacksBlanks ? "" : " "
        var text: HTML = ""
        for (index, stretch) in stretches.enumerated() {
            let before = index == 0 ? "" : gap
            text =
                stretch.isShared
                ? "\(text)\(before)\(stretch.text)"
                : "\(text)\(before)<mark>\(stretch.text)</mark>"
        }
        return stretches.allSatisfy { $0.text.isEmpty }
            ? "<span class=\"faint\">(empty)</span>" : text
    }

    private var attentions: HTML {
        if attention.isEmpty { return "" }
        let parts: [HTML] = attention.map { attention in
            let maps: [HTML] = attention.view.layers.map { layer in
                """
                <figure class="map">\(Chart.attention(attention.view, layer: layer))\
                <figcaption>\(layer.name)</figcaption></figure>
                """
            }
            return """
                <article><p lang="" dir="auto" translate="no">\(attention.source)</p>\
                <div class="maps">\(maps)</div></article>
                """
        }
        return """
            <section>
            <h2>Attention</h2>
            <p class="faint">Which word of the source (across) each word of a greedy output (down) looked \
            at, in the mean over a layer's heads.</p>
            \(parts)
            </section>
            """
    }
}

extension Script {
    /// Whether differences are shown by characters.
    fileprivate var lacksBlanks: Bool { self != .other && self != .korean }
}
