import Inference

/// Pictures of a report as SVG. Colours are those of the page's style sheet.
enum Chart {
    /// A bar of a chart.
    struct Bar {
        let label: String
        /// What is written above it.
        let figure: String
        /// What is written below the label.
        let remark: String
        let value: Double
    }

    /// Bars over an axis from 0 to `top`.
    static func bars(_ bars: [Bar], top: Double, title: String) -> HTML {
        let hasRemarks = bars.contains { !$0.remark.isEmpty }
        let (width, left, right, upper, plot) = (620, 36, 4, 22, 150)
        let lower = hasRemarks ? 42 : 24
        let step = Double(width - left - right) / Double(max(1, bars.count))
        let wide = min(64, step * 0.7)
        let height = upper + plot + lower
        let lines: [HTML] = (0...4).map { number in
            let y = upper + plot - plot * number / 4
            let label = fixed(top * Double(number) / 4, 0)
            return """
                <line class="grid" x1="\(left)" x2="\(width - right)" y1="\(y)" y2="\(y)"/>\
                <text class="faint" x="\(left - 6)" y="\(y + 4)" text-anchor="end">\(label)</text>
                """
        }
        let columns: [HTML] = bars.enumerated().map { index, bar in
            let share = top > 0 && bar.value.isFinite ? min(1, max(0, bar.value / top)) : 0
            let middle = Double(left) + step * (Double(index) + 0.5)
            let tall = Double(plot) * share
            let y = Double(upper + plot) - tall
            let (x, place) = (fixed(middle - wide / 2, 1), fixed(middle, 1))
            return """
                <rect class="bar" x="\(x)" y="\(fixed(y, 1))" width="\(fixed(wide, 1))" \
                height="\(fixed(tall, 1))" rx="2"><title>\(bar.label): \(bar.figure)</title></rect>\
                <text x="\(place)" y="\(fixed(y - 6, 1))" text-anchor="middle">\(bar.figure)</text>\
                <text x="\(place)" y="\(upper + plot + 18)" text-anchor="middle">\(bar.label)</text>\
                <text class="faint" x="\(place)" y="\(upper + plot + 35)" \
                text-anchor="middle">\(bar.remark)</text>
                """
        }
        return """
            <svg viewBox="0 0 \(width) \(height)" role="img" aria-label="\(title)">\
            \(lines)\(columns)</svg>
            """
    }

    /// The least top of an axis that is at least `value`, and whose four parts are round numbers.
    static func top(above value: Double) -> Double {
        let part = max(1, value / 4)
        var unit = 1.0
        while unit * 10 <= part { unit *= 10 }
        let round = [1, 2, 2.5, 5, 10].map { $0 * unit }.first { part <= $0 && $0 == $0.rounded() }
        return 4 * (round ?? 10 * unit)
    }

    /// A score with its bounds.
    struct Interval {
        let label: String
        let value: Double
        /// Half the width of the interval; nil where it is not known.
        let margin: Double?
        /// Where the middle of the interval lies.
        let mean: Double
        /// Whether it is of the text that is compared with.
        let isBaseline: Bool
    }

    /// Scores on one axis, each with its interval.
    static func intervals(_ rows: [Interval], title: String) -> HTML {
        let (width, left, right, line) = (620, 84, 50, 26)
        let highest = rows.map { $0.mean + ($0.margin ?? 0) }.filter(\.isFinite).max() ?? 100
        let top = max(100, (highest / 20).rounded(.up) * 20)
        let height = rows.count * line + 30
        func x(_ value: Double) -> Double {
            let share = value.isFinite ? min(1, max(0, value / top)) : 0
            return Double(left) + share * Double(width - left - right)
        }
        let lines: [HTML] = (0...4).map { number in
            let value = top * Double(number) / 4
            let place = fixed(x(value), 1)
            return """
                <line class="grid" x1="\(place)" x2="\(place)" y1="4" y2="\(height - 22)"/>\
                <text class="faint" x="\(place)" y="\(height - 6)" \
                text-anchor="middle">\(fixed(value, 0))</text>
                """
        }
        let marks: [HTML] = rows.enumerated().map { index, row in
            let y = index * line + 17
            let kind: HTML = row.isBaseline ? "rival" : "mine"
            let range: HTML =
                row.margin.map { margin -> HTML in
                    let (from, to) = (
                        fixed(x(row.mean - margin), 1), fixed(x(row.mean + margin), 1)
                    )
                    return """
                        <line class="range \(kind)" x1="\(from)" x2="\(to)" y1="\(y)" y2="\(y)"/>
                        """
                } ?? ""
            return """
                <text x="\(left - 12)" y="\(y + 4)" text-anchor="end">\(row.label)</text>\(range)\
                <circle class="point \(kind)" cx="\(fixed(x(row.value), 1))" cy="\(y)" r="4.5"/>\
                <text x="\(width - right + 12)" y="\(y + 4)">\(fixed(row.value, 1))</text>
                """
        }
        return """
            <svg viewBox="0 0 \(width) \(height)" role="img" aria-label="\(title)">\
            \(lines)\(marks)</svg>
            """
    }

    /// Where the words of an output look, in the mean over a layer's heads.
    static func attention(_ view: AttentionView, layer: AttentionView.Layer) -> HTML {
        let cell = 20
        let labels = view.rows.map { Self.short($0) }
        let heads = view.columns.map { Self.short($0) }
        let (left, top) = (room(labels), room(heads))
        let (width, height) = (left + heads.count * cell + 4, top + labels.count * cell + 4)
        let columns: [HTML] = heads.enumerated().map { index, label in
            let x = left + index * cell + cell / 2 + 4
            return """
                <text transform="translate(\(x),\(top - 6)) rotate(-90)">\(label)</text>
                """
        }
        let rows: [HTML] = labels.enumerated().map { row, label in
            let y = top + row * cell
            let cells: [HTML] = heads.indices.map { column in
                let share = layer.mean(row: row, column: column)
                return """
                    <rect class="cell" x="\(left + column * cell)" y="\(y)" width="\(cell)" \
                    height="\(cell)" fill-opacity="\(fixed(share, 2))"><title>\(view.rows[row]) → \
                    \(view.columns[column]): \(fixed(share, 2))</title></rect>
                    """
            }
            return """
                <text x="\(left - 6)" y="\(y + cell / 2 + 4)" text-anchor="end">\(label)</text>\(cells)
                """
        }
        return """
            <svg class="heat" width="\(width)" height="\(height)" viewBox="0 0 \(width) \(height)" \
            role="img" aria-label="attention of \(layer.name)">\(columns)\(rows)</svg>
            """
    }

    private static func short(_ label: String) -> String {
        label.count > 12 ? String(label.prefix(11)) + "…" : label
    }

    /// Room for a label: characters of Eastern scripts are twice as wide.
    private static func room(_ labels: [String]) -> Int {
        let longest = labels.map { label in
            label.unicodeScalars.reduce(0) { $0 + ($1.value < 0x1100 ? 8 : 15) }
        }.max()
        return 10 + (longest ?? 0)
    }
}

extension AttentionView.Layer {
    /// The mean over the heads.
    func mean(row: Int, column: Int) -> Double {
        heads.isEmpty
            ? 0 : heads.reduce(0) { $0 + Double($1[row][column]) } / Double(heads.count)
    }
}
