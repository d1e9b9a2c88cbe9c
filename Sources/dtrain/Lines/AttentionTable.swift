import Inference
import Words

extension AttentionView {
    /// For each layer a line a row, in it where each head looked most and how much of it.
    var table: String {
        layers.map { layer in
            let heads = layer.heads.indices.map { "head \($0 + 1)" }
            let lines =
                [[layer.name] + heads]
                + rows.indices.map { row in
                    [rows[row]] + layer.heads.map { most(in: $0[row]) }
                }
            let widths = lines[0].indices.map { column in
                lines.map { $0[column].count }.max() ?? 0
            }
            return lines.map { line in
                zip(line, widths).map { padded($0, $1) }.joined(separator: "  ") + "\n"
            }.joined()
        }.joined(separator: "\n")
    }

    private func most(in probabilities: [Float]) -> String {
        let best = probabilities.indices.max { probabilities[$0] < probabilities[$1] } ?? 0
        return "\(columns[best]) \(fixed(Double(probabilities[best]), 2))"
    }
}

/// Heat maps of attention as a picture: a grid a head, a line of grids a layer.
struct HeatMap {
    private static let cell = 22
    private static let gap = 24
    let view: AttentionView

    /// As a page that shows the picture.
    var html: String {
        """
        <!DOCTYPE html>
        <html><head><meta charset="utf-8"><title>attention</title></head>
        <body>
        \(svg)</body></html>

        """
    }

    var svg: String {
        let left = 12 + 8 * (view.rows.map(\.count).max() ?? 0)
        let top = 30 + 8 * (view.columns.map(\.count).max() ?? 0)
        let (wide, high) = (view.columns.count * Self.cell, view.rows.count * Self.cell)
        let heads = view.layers.map(\.heads.count).max() ?? 0
        let width = heads * (left + wide + Self.gap)
        let height = view.layers.count * (top + high + Self.gap)
        var parts = [
            """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" \
            font-family="monospace" font-size="12">
            <rect width="\(width)" height="\(height)" fill="white"/>

            """
        ]
        for (index, layer) in view.layers.enumerated() {
            for (head, grid) in layer.heads.enumerated() {
                let x = head * (left + wide + Self.gap) + left
                let y = index * (top + high + Self.gap) + top
                parts.append("<g transform=\"translate(\(x),\(y))\">\n")
                parts.append(text("\(layer.name), head \(head + 1)", x: 0, y: 14 - top))
                parts.append(labels())
                parts.append(cells(grid))
                parts.append("</g>\n")
            }
        }
        return parts.joined() + "</svg>\n"
    }

    private func labels() -> String {
        let half = Self.cell / 2 + 4
        let columns = view.columns.enumerated().map { column, label in
            let x = column * Self.cell + half
            return "<text transform=\"translate(\(x),-4) rotate(-90)\">\(escaped(label))</text>\n"
        }
        let rows = view.rows.enumerated().map { row, label in
            text(label, x: -4, y: row * Self.cell + half, anchor: "end")
        }
        return (columns + rows).joined()
    }

    private func cells(_ grid: [[Float]]) -> String {
        grid.enumerated().flatMap { row, probabilities in
            probabilities.enumerated().map { column, probability in
                let share = fixed(Double(probability), 3)
                let place = "x=\"\(column * Self.cell)\" y=\"\(row * Self.cell)\""
                let title =
                    "\(escaped(view.rows[row])) → \(escaped(view.columns[column])): \(share)"
                return """
                    <rect \(place) width="\(Self.cell)" height="\(Self.cell)" fill="#08306b" \
                    fill-opacity="\(share)" stroke="#ddd"><title>\(title)</title></rect>

                    """
            }
        }.joined()
    }

    private func text(_ content: String, x: Int, y: Int, anchor: String = "start") -> String {
        "<text x=\"\(x)\" y=\"\(y)\" text-anchor=\"\(anchor)\">\(escaped(content))</text>\n"
    }

    private func escaped(_ text: String) -> String {
        // XML knows no control characters.
        text.visible.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
            .replacing(">", with: "&gt;")
    }
}
