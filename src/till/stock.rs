//! An offer's units, whole or by variant: counted, held, sold and freed. Who gets them is decided elsewhere.

use super::check;
use super::command::Variant;
use super::context::Context;
use super::id::OfferId;
use super::record::{PurchaseRecord, StockRecord, Units};
use super::refusal::{Refusal, Result};
use super::state::{StateError, Write};
use super::table::Stocks;
use super::time::Time;

/// The largest stock.
pub const QUANTITY_MAX: u64 = 1_000_000_000;

impl Units {
    /// How many can be sold now; `None`: no limit.
    pub fn available(&self) -> Option<u64> {
        self.quantity.map(|quantity| quantity.saturating_sub(self.held).saturating_sub(self.sold))
    }

    /// Whether anybody holds, bought or waits for one.
    pub fn in_use(&self) -> bool {
        self.held > 0 || self.sold > 0 || self.waiting > 0
    }

    fn check(&self, field: &str) -> Result<()> {
        let Some(quantity) = self.quantity else { return Ok(()) };
        check::within(field, quantity, 1, QUANTITY_MAX)?;
        let taken = self.held.saturating_add(self.sold);
        if quantity < taken {
            let detail = format!("must be at least {taken}: {} are held and {} sold", self.held, self.sold);
            return Err(Refusal::invalid(field, detail).into());
        }
        Ok(())
    }
}

impl StockRecord {
    /// The stock of a new offer, or of one that is edited: units that are in use stay.
    ///
    /// # Errors
    /// A refusal where fewer would be left than are held and sold, or a variant would go that is in use.
    pub fn with(&self, quantity: Option<u64>, variants: &[Variant]) -> Result<Self> {
        let mut next = Self { variants: Vec::new(), ..self.clone() };
        let plain_in_use = self.variants.is_empty() && self.all.in_use();
        if plain_in_use && !variants.is_empty() {
            let detail = "cannot come to an offer that has sold without; end it and make a new one";
            return Err(Refusal::invalid("variants", detail).into());
        }
        for (name, units) in &self.variants {
            if units.in_use() && !variants.iter().any(|variant| variant.name == *name) {
                let detail = format!(
                    "must keep {name:?}: {} are held, {} sold, and {} buyers wait for it",
                    units.held, units.sold, units.waiting
                );
                return Err(Refusal::invalid("variants", detail).into());
            }
        }
        if variants.is_empty() {
            next.all.quantity = quantity;
            next.all.check("quantity")?;
            return Ok(next);
        }
        if quantity.is_some() {
            let detail = "must be left out: each variant has its own";
            return Err(Refusal::invalid("quantity", detail).into());
        }
        next.all.quantity = Some(0);
        for (i, variant) in variants.iter().enumerate() {
            let mut units = self.of(Some(&variant.name)).unwrap_or_default();
            units.quantity = variant.quantity;
            units.check(&format!("variants[{i}].quantity"))?;
            let sum = next.all.quantity.zip(units.quantity);
            next.all.quantity = sum.and_then(|(sum, more)| sum.checked_add(more));
            next.variants.push((variant.name.clone(), units));
        }
        Ok(next)
    }

    /// The units of a variant, or of an offer without any; `None`: there is no such variant.
    pub fn of(&self, variant: Option<&str>) -> Option<Units> {
        match variant {
            None => Some(self.all),
            Some(name) => self.variants.iter().find(|(other, _)| other == name).map(|(_, units)| *units),
        }
    }

    /// How many can be sold now, over all variants; `None`: no limit.
    pub fn available(&self) -> Option<u64> {
        if self.variants.is_empty() {
            return self.all.available();
        }
        self.variants.iter().try_fold(0_u64, |sum, (_, units)| Some(sum.saturating_add(units.available()?)))
    }

    /// Whether a unit of any kind is free.
    pub fn has_free(&self) -> bool {
        self.available().is_none_or(|free| free > 0)
    }

    /// How many a newcomer can have now: none while others wait; `None`: no limit.
    pub fn for_newcomers(&self, variant: Option<&str>) -> Option<u64> {
        match self.of(variant) {
            None => Some(0),
            Some(units) if units.waiting > 0 => Some(0),
            Some(units) => units.available(),
        }
    }

    /// Applies `change` to the units of a variant and to the sums.
    pub fn change(
        &mut self,
        variant: Option<&str>,
        change: impl Fn(&mut Units) -> Option<()>,
    ) -> Result<(), StateError> {
        let wrong = || StateError("the units of a stock do not add up".to_owned());
        change(&mut self.all).ok_or_else(wrong)?;
        if let Some(name) = variant {
            let units = self.variants.iter_mut().find(|(other, _)| other == name);
            change(&mut units.ok_or_else(wrong)?.1).ok_or_else(wrong)?;
        }
        Ok(())
    }
}

/// Some units of an offer.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// Whose.
    pub offer: OfferId,
    /// Of which variant, where it has any.
    pub variant: Option<&'a str>,
    /// How many.
    pub units: u32,
}

impl PurchaseRecord {
    /// What it holds or has bought.
    pub fn piece(&self) -> Piece<'_> {
        Piece { offer: self.offer, variant: self.variant.as_deref(), units: self.units }
    }
}

/// Takes a place in a deal: from free to sold. The caller has seen that one is free.
pub fn take_place<S: Write>(state: &mut S, offer: OfferId) -> Result<()> {
    shift(state, Piece { offer, variant: None, units: 1 }, (0, 1), None).map(drop)
}

/// From free to held. The caller has seen that they are free.
pub fn hold<S: Write>(state: &mut S, piece: Piece<'_>) -> Result<()> {
    shift(state, piece, (1, 0), None).map(drop)
}

/// From held to free. Whether anybody waits for them.
pub fn free<S: Write>(state: &mut S, cx: &Context<'_>, piece: Piece<'_>) -> Result<bool> {
    shift(state, piece, (-1, 0), Some(cx.now))
}

/// From held to sold. Whether anybody waits.
pub fn sell<S: Write>(state: &mut S, cx: &Context<'_>, piece: Piece<'_>) -> Result<bool> {
    shift(state, piece, (-1, 1), Some(cx.now))
}

/// From sold to free. Whether anybody waits for them.
pub fn restock<S: Write>(state: &mut S, piece: Piece<'_>) -> Result<bool> {
    shift(state, piece, (0, -1), None)
}

fn shift<S: Write>(
    state: &mut S,
    piece: Piece<'_>,
    (held, sold): (i64, i64),
    closed_at: Option<Time>,
) -> Result<bool> {
    let mut stock = state.must::<Stocks>(&piece.offer)?;
    let units = i64::from(piece.units);
    stock.change(piece.variant, |all| {
        all.held = all.held.checked_add_signed(held * units)?;
        all.sold = all.sold.checked_add_signed(sold * units)?;
        let taken = all.held.checked_add(all.sold)?;
        all.quantity.is_none_or(|quantity| taken <= quantity).then_some(())
    })?;
    stock.last_closed_at = closed_at.or(stock.last_closed_at);
    state.put::<Stocks>(&piece.offer, &stock)?;
    Ok(stock.of(piece.variant).is_some_and(|units| units.waiting > 0))
}
