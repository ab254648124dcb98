//! What can be done, and by whom unless an operator says otherwise.

use super::{Rule, defaults};

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident $name:literal $rule:ident;)*) => {
        /// What a caller may want to do, each under the name that policies give it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action {
            $($(#[$doc])* $variant,)*
        }

        impl Action {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in policies and messages.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Glance's default.
            pub(super) fn default_rule(self) -> Rule {
                match self {
                    $(Self::$variant => defaults::$rule(),)*
                }
            }
        }
    };
}

actions! {
    /// Create an image's record.
    AddImage "add_image" create_image;
    /// Delete an image.
    DeleteImage "delete_image" admin_or_member;
    /// Show an image.
    GetImage "get_image" get_image;
    /// List images.
    GetImages "get_images" admin_or_reader;
    /// Change an image's record.
    ModifyImage "modify_image" admin_or_member;
    /// Make an image public.
    PublicizeImage "publicize_image" admin;
    /// Make an image visible to everybody who asks for it.
    CommunitizeImage "communitize_image" admin_or_member;
    /// Read an image's bytes.
    DownloadImage "download_image" download_image;
    /// Read an image's bytes from a chosen store.
    DownloadFromStore "download_from_store" download_image;
    /// Write an image's bytes.
    UploadImage "upload_image" admin_or_member;
    /// Delete one of an image's locations.
    DeleteImageLocation "delete_image_location" admin;
    /// See an image's locations.
    GetImageLocation "get_image_location" admin_or_reader;
    /// Change an image's locations.
    SetImageLocation "set_image_location" admin_or_member;
    /// Give a new image its first location.
    AddImageLocation "add_image_location" service_or_member;
    /// Read an image's locations as a service.
    FetchImageLocation "fetch_image_location" service;
    /// Offer an image to a project.
    AddMember "add_member" admin_or_member;
    /// Take that offer back.
    DeleteMember "delete_member" admin_or_member;
    /// Show one project that an image is shared with.
    GetMember "get_member" admin_or_reader_or_shared_member;
    /// List the projects that an image is shared with.
    GetMembers "get_members" admin_or_reader_or_shared_member;
    /// Accept or reject an offered image.
    ModifyMember "modify_member" admin_or_shared_member;
    /// Work the image cache, by the older interface.
    ManageImageCache "manage_image_cache" admin;
    /// Forbid downloads of an image.
    Deactivate "deactivate" admin_or_member;
    /// Allow them again.
    Reactivate "reactivate" admin_or_member;
    /// Copy an image to other stores.
    CopyImage "copy_image" admin;
    /// Show a task.
    GetTask "get_task" everybody;
    /// List tasks.
    GetTasks "get_tasks" everybody;
    /// Start a task.
    AddTask "add_task" everybody;
    /// Change a task.
    ModifyTask "modify_task" everybody;
    /// Use the tasks interface at all.
    TasksApiAccess "tasks_api_access" admin;
    /// List stores with their details.
    StoresInfoDetail "stores_info_detail" service;
    /// Put an image into the cache.
    CacheImage "cache_image" admin;
    /// List the images in the cache.
    CacheList "cache_list" admin;
    /// Remove images from the cache.
    CacheDelete "cache_delete" admin;
    /// Remove stale files from the cache.
    CacheClean "cache_clean" admin;
    /// Shrink the cache to its limit.
    CachePrune "cache_prune" admin;
    /// List the nodes that hold an image in their cache.
    ListCachedNodes "list_cached_nodes" admin;
    /// Show a namespace of metadata definitions.
    GetMetadefNamespace "get_metadef_namespace" get_namespace;
    /// List namespaces.
    GetMetadefNamespaces "get_metadef_namespaces" admin_or_reader;
    /// Change a namespace.
    ModifyMetadefNamespace "modify_metadef_namespace" admin;
    /// Create a namespace.
    AddMetadefNamespace "add_metadef_namespace" admin;
    /// Delete a namespace.
    DeleteMetadefNamespace "delete_metadef_namespace" admin;
    /// Show an object of a namespace.
    GetMetadefObject "get_metadef_object" get_namespace;
    /// List the objects of a namespace.
    GetMetadefObjects "get_metadef_objects" get_namespace;
    /// Change an object of a namespace.
    ModifyMetadefObject "modify_metadef_object" admin;
    /// Create an object of a namespace.
    AddMetadefObject "add_metadef_object" admin;
    /// Delete an object of a namespace.
    DeleteMetadefObject "delete_metadef_object" admin;
    /// List resource types.
    ListMetadefResourceTypes "list_metadef_resource_types" get_namespace;
    /// Show the resource types of a namespace.
    GetMetadefResourceType "get_metadef_resource_type" get_namespace;
    /// Bind a resource type to a namespace.
    AddMetadefResourceTypeAssociation "add_metadef_resource_type_association" admin;
    /// Unbind a resource type from a namespace.
    RemoveMetadefResourceTypeAssociation "remove_metadef_resource_type_association" admin;
    /// Show a property of a namespace.
    GetMetadefProperty "get_metadef_property" get_namespace;
    /// List the properties of a namespace.
    GetMetadefProperties "get_metadef_properties" get_namespace;
    /// Change a property of a namespace.
    ModifyMetadefProperty "modify_metadef_property" admin;
    /// Create a property of a namespace.
    AddMetadefProperty "add_metadef_property" admin;
    /// Delete a property of a namespace.
    RemoveMetadefProperty "remove_metadef_property" admin;
    /// Show a tag of a namespace.
    GetMetadefTag "get_metadef_tag" get_namespace;
    /// List the tags of a namespace.
    GetMetadefTags "get_metadef_tags" get_namespace;
    /// Change a tag of a namespace.
    ModifyMetadefTag "modify_metadef_tag" admin;
    /// Create a tag of a namespace.
    AddMetadefTag "add_metadef_tag" admin;
    /// Create many tags of a namespace.
    AddMetadefTags "add_metadef_tags" admin;
    /// Delete a tag of a namespace.
    DeleteMetadefTag "delete_metadef_tag" admin;
    /// Delete all tags of a namespace.
    DeleteMetadefTags "delete_metadef_tags" admin;
}
