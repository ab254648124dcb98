//! What a project uses. Source: `_image_get_disk_usage_by_owner` and its neighbours in Glance's
//! SQLAlchemy API.

use super::dialect::{Connection, query};
use image::ImageId;

use crate::{Budget, Error, Result, Usage};

/// All four figures in one look at the project's images. An image that is being copied from store
/// to store says so in a property of the reserved namespace.
const USAGE: &str = "SELECT \
    CAST(COALESCE(SUM(CASE WHEN size > 0 AND id <> ? THEN size * copies ELSE 0 END), 0) \
        AS {integer}) AS stored, \
    CAST(COALESCE(SUM(CASE WHEN size > 0 AND (moving OR copying) THEN size ELSE 0 END), 0) \
        AS {integer}) AS staged, \
    COUNT(*) AS images, \
    COUNT(CASE WHEN saving OR moving OR copying THEN 1 END) AS uploading \
    FROM (SELECT i.id, i.size, \
        i.status = 'saving' AS saving, \
        i.status IN ('uploading', 'importing') AS moving, \
        (SELECT COUNT(*) FROM image_locations l \
            WHERE l.image_id = i.id AND l.status <> 'deleted') AS copies, \
        EXISTS (SELECT 1 FROM image_properties p WHERE p.image_id = i.id \
            AND p.name = 'os_glance_importing_to_stores' AND p.value <> '') AS copying \
        FROM images i WHERE i.owner = ? \
        AND i.status NOT IN ('killed', 'deleted', 'pending_delete')) AS counted";

pub(super) async fn of(
    db: &mut Connection,
    owner: Option<&str>,
    except: Option<ImageId>,
) -> Result<Usage> {
    let row = query(USAGE)
        .bind(except.map(|id| id.to_string()).unwrap_or_default())
        .bind(owner)
        .fetch_one(db)
        .await?;
    let count = |name: &str| -> Result<u64> {
        Ok(u64::try_from(row.try_get::<i64>(name)?).unwrap_or_default())
    };
    Ok(Usage {
        stored: count("stored")?,
        staged: count("staged")?,
        images: count("images")?,
        uploading: count("uploading")?,
    })
}

/// Refuses bytes of an image that would exceed the budget. What it counts is still so when the
/// transaction ends: it holds the locks of the project's images.
pub(super) async fn expect_room(
    db: &mut Connection,
    budget: &Budget,
    id: ImageId,
    size: u64,
) -> Result<()> {
    query("SELECT id FROM images WHERE owner = ? ORDER BY id{for update}")
        .bind(budget.owner.as_deref())
        .fetch_all(db)
        .await?;
    let others = of(db, budget.owner.as_deref(), Some(id)).await?.stored;
    let remaining = i128::from(budget.bytes) - i128::from(others);
    match i128::from(size) <= remaining {
        true => Ok(()),
        false => Err(Error::OverBudget { size, remaining }),
    }
}
