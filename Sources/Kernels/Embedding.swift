import CKernels

/// Token embeddings: rows of a table, scaled, with the position's vector added.
package enum Embedding {
    /// y_i = (scale · table[id_i] + positions[i - start of its sequence]) ∘ mask.
    ///
    /// Shapes: table [v, n]; positions [p, n]; y [tokens, n], dense. Source: Vaswani et al.,
    /// "Attention is all you need" (2017), sections 3.4 and 3.5.
    package static func forward(
        _ ids: Indices, _ offsets: Offsets, table: Matrix, positions: Matrix, scale: Float,
        mask: Mask?, into y: Matrix
    ) {
        precondition(y.rows == ids.count && y.columns == table.columns && y.isDense)
        for sequence in 0..<offsets.sequences {
            let range = offsets[sequence]
            for token in range {
                let id = ids[token]
                precondition(id < table.rows && token - range.lowerBound < positions.rows)
                let from = table.row(id)
                let place = positions.row(token - range.lowerBound)
                let to = y.row(token)
                let start = token * y.columns
                guard !Instructions.chosen.isWide else {
                    dtrain_embed_row(from, place, y.columns, scale, mask.wide, start, to)
                    continue
                }
                sweep(
                    y.columns,
                    whole: {
                        let sum = place.wide($0).addingProduct(
                            from.wide($0), Wide(repeating: scale))
                        to.store(sum * mask.factors(start + $0), $0)
                    },
                    part: {
                        let sum = place.part($0, $1)
                            .addingProduct(from.part($0, $1), Wide(repeating: scale))
                        to.store(sum * mask.factors(start + $0), $0, part: $1)
                    })
            }
        }
    }

    /// y_i = scale · table[ids[i]] + positions[places[i]]: single tokens, each at a place of its own.
    ///
    /// Shapes: n ids, n places; table [v, d]; positions [p, d]; y [n, d], dense.
    package static func forward(
        _ ids: [Int32], at places: [Int], table: Matrix, positions: Matrix, scale: Float,
        into y: Matrix
    ) {
        precondition(y.rows == ids.count && places.count == ids.count && y.columns == table.columns)
        for (row, id) in ids.enumerated() {
            precondition(id >= 0 && Int(id) < table.rows && places[row] < positions.rows)
            let (from, place, to) = (table.row(Int(id)), positions.row(places[row]), y.row(row))
            sweep(
                y.columns,
                whole: {
                    let sum = place.wide($0).addingProduct(
                        from.wide($0), Wide(repeating: scale))
                    to.store(sum, $0)
                },
                part: {
                    let sum = place.part($0, $1)
                        .addingProduct(from.part($0, $1), Wide(repeating: scale))
                    to.store(sum, $0, part: $1)
                })
        }
    }

    /// dtable[id_i] += scale · dy_i ∘ mask, tokens in order.
    package static func backward(
        _ dy: Matrix, _ ids: Indices, scale: Float, mask: Mask?, dTable: Matrix
    ) {
        precondition(dy.rows == ids.count && dy.columns == dTable.columns)
        for token in 0..<ids.count {
            let (from, to) = (dy.row(token), dTable.row(ids[token]))
            let start = token * dy.columns
            guard !Instructions.chosen.isWide else {
                dtrain_embed_row_back(from, dy.columns, scale, mask.wide, start, to)
                continue
            }
            sweep(
                dy.columns,
                whole: {
                    let factor = mask.factors(start + $0) * scale
                    to.store(to.wide($0).addingProduct(from.wide($0), factor), $0)
                },
                part: {
                    let factor = mask.factors(start + $0) * scale
                    to.store(to.part($0, $1).addingProduct(from.part($0, $1), factor), $0, part: $1)
                })
        }
    }

    /// dpositions[i - start of its sequence] += dy_i ∘ mask, tokens in order.
    package static func positionsBackward(
        _ dy: Matrix, _ offsets: Offsets, mask: Mask?, dPositions: Matrix
    ) {
        precondition(dy.rows == offsets.tokens && dy.columns == dPositions.columns)
        for sequence in 0..<offsets.sequences {
            let range = offsets[sequence]
            for token in range {
                let (from, to) = (dy.row(token), dPositions.row(token - range.lowerBound))
                let start = token * dy.columns
                guard !Instructions.chosen.isWide else {
                    dtrain_embed_row_back(from, dy.columns, 1, mask.wide, start, to)
                    continue
                }
                sweep(
                    dy.columns,
                    whole: {
                        let factor = mask.factors(start + $0)
                        to.store(to.wide($0).addingProduct(from.wide($0), factor), $0)
                    },
                    part: {
                        let factor = mask.factors(start + $0)
                        let sum = to.part($0, $1).addingProduct(from.part($0, $1), factor)
                        to.store(sum, $0, part: $1)
                    })
            }
        }
    }
}
